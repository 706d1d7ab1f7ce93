"""Method: how this was made, and how to make it again."""

import platform
import shlex
from collections.abc import Sequence

from meshforensics.report._blocks import Code, Content, Facts, Phrase, Preformatted
from meshforensics.report._case import Case
from meshforensics.report._version import version
from meshforensics.report._words import count, instant, said_at
from meshforensics.report.sections._section import section


@section
def method(case: Case, bundle: str | Sequence[str] = "", incident: str = "") -> Content:
    """Versions, thresholds, provenance, and the commands to do it again.

    Args:
        bundle: what the report was asked to read, as it was written.
        incident: the incident that was asked for.
    """
    held = [item for item in case.bundle.items if item.stored]
    pairs: tuple[tuple[str, Phrase], ...] = (
        ("Verdict", ("Each hypothesis is weighed by its own tests on tables of this bundle; every number on this page "
         "is computed from the bundle, as of the time above. No network, no clock of the reader.")),
        ("Bundle", ("SHA-256 of the sorted list of items: ", Code(case.bundle.id))),
        ("Read", (f"{len(held):,} of {count(len(case.bundle.items), 'item')} hold bytes; "
         f"{len(case.not_captured):,} are not wholly there and are listed above.")),
        ("Captured by", f"{case.bundle.tool or 'unknown'}; layout {case.bundle.layout or 'meshforensics'}"),
        ("As of", instant(case.at)),
        ("Window", f"{instant(case.window.start)} to {instant(case.window.end)}" if case.window else "unknown"),
        ("Thresholds", ("profile ", Code(case.profile.name), ", SHA-256 ", Code(case.profile.sha256))),
        ("Versions", f"meshforensics {version()}, Python {platform.python_version()}"),
    )  # fmt: skip
    return Content(
        anchor="method",
        title="Method and how to repeat it",
        blocks=(Facts(pairs=pairs), Preformatted(text=_commands(case, bundle, incident))),
    )


def _commands(case: Case, bundle: str | Sequence[str], incident: str) -> str:
    sources = [bundle] if isinstance(bundle, str) else list(bundle)
    path = " ".join(shlex.quote(source) for source in sources if source) or "BUNDLE"
    at = f" --at {said_at(case.at)}" if case.at else ""
    asked = f" --incident {shlex.quote(incident)}" if incident not in {"", "auto"} else ""
    return (
        f"meshforensics triage {path}{at}\n"
        f"meshforensics report {path}{at}{asked} -o report/\n"
        f"meshforensics tables {path} certificates --format csv"
    )
