"""meshforensics: forensic investigation toolkit for service meshes.

>>> import meshforensics as mf  # doctest: +SKIP
>>> b = mf.open("captures/ca-rotation")  # doctest: +SKIP
>>> b.verdict.incident  # doctest: +SKIP
'ca-rotation'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshforensics.bundle import Bundle, open_bundle, verify
    from meshforensics.checks import check
    from meshforensics.importers import import_evidence
    from meshforensics.incidents import incident
    from meshforensics.investigation import Investigation
    from meshforensics.investigation import open_evidence as open  # noqa: A004 - mf.open is the door
    from meshforensics.model import Evidence, Finding, Hypothesis, Item, MeshForensicsError
    from meshforensics.profile import Profile, load_profile
    from meshforensics.report import write_report

__all__ = [
    "Bundle",
    "Evidence",
    "Finding",
    "Hypothesis",
    "Investigation",
    "Item",
    "MeshForensicsError",
    "Profile",
    "check",
    "import_evidence",
    "incident",
    "load_profile",
    "open",
    "open_bundle",
    "verify",
    "write_report",
]

_HOMES = {
    "Bundle": "bundle",
    "Evidence": "model",
    "Finding": "model",
    "Hypothesis": "model",
    "Investigation": "investigation",
    "Item": "model",
    "MeshForensicsError": "model",
    "Profile": "profile",
    "check": "checks",
    "import_evidence": "importers",
    "incident": "incidents",
    "load_profile": "profile",
    "open": "investigation",
    "open_bundle": "bundle",
    "verify": "bundle",
    "write_report": "report",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: the command line must start at once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = getattr(import_module(f"meshforensics.{_HOMES[name]}"), "open_evidence" if name == "open" else name)
    globals()[name] = made
    return made


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
