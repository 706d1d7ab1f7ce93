"""What a topic is printed for: the names of a bundle, or placeholders."""

from typing import Protocol

from meshforensics.guide._declare import Setting
from meshforensics.guide._service import service_named, service_of
from meshforensics.profile import Profile
from meshforensics.recovery import Case, Mesh, mesh_of


class Opened(Case, Protocol):
    """What ``mf.open`` returns, with its profile."""

    @property
    def profile(self) -> Profile:
        """The thresholds."""


def general_setting(service: str, profile: Profile) -> tuple[Setting, str]:
    """Of no mesh in particular, and a sentence that says so.

    Raises:
        UsageError: `service` has not the form ``NS/NAME``.
    """
    about = "The general form; --bundle PATH fills in the names of a mesh."
    return Setting(mesh=Mesh(), service=service_named(service), profile=profile), about


def setting_of(case: Opened, service: str, path: str) -> tuple[Setting, str]:
    """Of the mesh in a bundle, and a sentence that says of which service.

    Raises:
        UnknownNameError: the bundle has no such service.
        UsageError: `service` has not the form ``NS/NAME``.
    """
    mesh = mesh_of(case, case.hypotheses[0])
    about = service_of(case, service, mesh.workloads)
    istio = f", Istio {mesh.version[0]}.{mesh.version[1]}" if mesh.version else ""
    others = f" (one of {about.of}; --service NS/NAME for another)" if about.of > 1 and not service else ""
    said = f"For {about.namespace}/{about.name}{others} of {path}{istio}."
    return Setting(mesh=mesh, service=about, profile=case.profile), said
