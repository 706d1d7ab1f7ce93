"""Proxies and control plane."""

import pytest

from meshforensics.recovery import Mesh, Named
from tests.guide.settings import commands, setting

CANARY = Named(kind="Deployment", namespace="mesh", name="istiod-1-31")


def test_every_istiod_is_asked_for_what_it_sent() -> None:
    said = commands("proxy-status", setting(mesh=Mesh(system="mesh", istiods=(CANARY,))))

    assert "kubectl -n mesh exec deploy/istiod-1-31 -- pilot-discovery request GET /debug/syncz" in said


@pytest.mark.parametrize(
    ("version", "config"), [((1, 31), "istioctl ztunnel-config"), ((1, 22), "istioctl x ztunnel-config")]
)
def test_ztunnel_is_asked_where_there_is_one(version: tuple[int, int], config: str) -> None:
    assert f"{config} workloads" in commands("proxy-status", setting(mesh=Mesh(ztunnel=True, version=version)))
    assert not any("ztunnel" in line for line in commands("proxy-status"))


def test_native_sidecars_are_looked_at_too() -> None:
    ready = commands("sidecar-health")[0]

    assert ".status.containerStatuses[" in ready
    assert ".status.initContainerStatuses[" in ready


def test_memory_is_sorted_as_memory() -> None:
    assert commands("sidecar-health")[1] == "kubectl top pods -A --containers --sort-by=memory"


def test_the_control_plane_is_where_the_bundle_has_it() -> None:
    said = commands("control-plane", setting(mesh=Mesh(system="mesh", istiods=(CANARY,))))

    assert said[0] == "kubectl -n mesh get pods -l app=istiod -o wide"
