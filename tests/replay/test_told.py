"""Versions that a report lists, said by what runs."""

from itertools import count
from typing import Any

import pytest

from meshforensics.bundle import BundleWriter
from meshforensics.replay._pages import page
from meshforensics.replay._state import State
from meshforensics.replay._told import server_version
from tests.replay.evidence import AT, listed, pod

ISTIOD = "istio-system/istiod-1"
PILOT = """    {{
        Component: "pilot",
        Revision:  "{revision}",
        Info:      version.BuildInfo{{Version:"{version}"{more}}},
    }},
"""
_numbers = count(1)


def versions(*pilots: tuple[str, str], more: str = "") -> bytes:
    """What ``istioctl version`` printed of pilots: revision and version of each."""
    listed = "".join(PILOT.format(revision=revision, version=version, more=more) for revision, version in pilots)
    return f"The following Istio control plane revisions/versions were found:\n&version.MeshInfo{{\n{listed}}}".encode()


def state(*items: tuple[str, str, bytes]) -> State:
    """A state of an istiod of revision ``blue`` and of some items."""
    istiod = pod("istiod-1", "istio-system")
    istiod["metadata"]["labels"]["istio.io/rev"] = "blue"
    with BundleWriter(f"memory://tests-told/{next(_numbers)}", mesh="lab", layout="test") as writer:
        for kind, subject, payload in (
            ("kubernetes.pods", "-", listed("Pod", istiod, pod("web-0"))),
            ("log.discovery", ISTIOD, b"a line\n"),
            ("log.istio-proxy", "shop/web-0", b"a line\n"),
            *items,
        ):
            writer.add(kind, subject, payload, captured_at=AT, time_source="Date")
        return State(writer.seal(), AT)


LABELS = {"app": "istiod", "istio": "pilot", "sidecar.istio.io/inject": "false"}


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        pytest.param(versions(("default", "1.29.2")), "1.29.2-unknown-unknown", id="only-one"),
        pytest.param(versions(("red", "1.29.2"), ("blue", "1.30.0")), "1.30.0-unknown-unknown", id="by-its-label"),
        pytest.param(versions(("a", "1.29.2"), ("b", "1.29.2")), "1.29.2-unknown-unknown", id="all-alike"),
        pytest.param(versions(("red", "1.29.2"), ("green", "1.30.0")), None, id="nobody-knows-which"),
        pytest.param(
            versions(
                ("blue", "1.20.2"), more=', GitRevision:"5f5d657c72d3", GolangVersion:"go1.20", BuildStatus:"Clean"'
            ),
            "1.20.2-5f5d657c72d3-Clean",
            id="with-its-build",
        ),
        pytest.param(b"error: no pods\n", None, id="no-versions"),
    ],
)
def test_an_istiod_says_the_version_that_a_report_lists(listed: bytes, said: str | None) -> None:
    answer = page(state(("foreign.versions", "-", listed)), ISTIOD, 15014, "GET", "/version")

    assert answer.body.decode() == said if said else answer.status == 404


def test_an_own_answer_counts_more() -> None:
    told = ("foreign.versions", "-", versions(("blue", "1.29.2")))

    assert page(state(told, ("istiod.version", ISTIOD, b"own")), ISTIOD, 15014, "GET", "/version").body == b"own"


@pytest.mark.parametrize(
    ("pilots", "labels"),
    [
        pytest.param([("red", "1.29.2")], {**LABELS, "istio.io/rev": "red"}, id="one"),
        pytest.param([("red", "1.29.2"), ("blue", "1.30.0")], LABELS, id="several"),
    ],
)
def test_an_istiod_without_an_object_is_found_by_its_revision(
    pilots: list[tuple[str, str]], labels: dict[str, str]
) -> None:
    with BundleWriter(f"memory://tests-told/{next(_numbers)}", mesh="lab", layout="test") as writer:
        for kind, subject, payload in (
            ("foreign.versions", "-", versions(*pilots)),
            ("istiod.syncz", ISTIOD, b"[]"),
            ("log.istio-proxy", "shop/web-0", b"a line\n"),
        ):
            writer.add(kind, subject, payload, captured_at=AT, time_source="Date")
        made = State(writer.seal(), AT)

    istiod, proxy = made.pod("istio-system", "istiod-1"), made.pod("shop", "web-0")
    assert istiod is not None
    assert proxy is not None
    assert (istiod["metadata"]["labels"], istiod["status"]) == (labels, {"phase": "Running"})
    assert (proxy["metadata"]["labels"], proxy["status"]) == ({}, {})


def test_a_proxy_has_no_version_of_istiod() -> None:
    told = ("foreign.versions", "-", versions(("blue", "1.29.2")))

    assert page(state(told), "shop/web-0", 15014, "GET", "/version").status == 404


PRINTED = ("foreign.kubectl-version", "-", b"Client Version: v1.31.1\nServer Version: v1.33.4+k3s1\n")


@pytest.mark.parametrize(
    ("items", "said"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param([PRINTED], {"major": "1", "minor": "33", "gitVersion": "v1.33.4+k3s1"}, id="printed"),
        pytest.param(
            [PRINTED, ("kubernetes.version", "-", b'{"gitVersion": "v1.30.1"}')], {"gitVersion": "v1.30.1"}, id="own"
        ),
        pytest.param([("kubernetes.version", "-", b"nonsense")], None, id="not-the-form"),
    ],
)
def test_the_version_of_the_api_server(items: list[tuple[str, str, bytes]], said: dict[str, Any] | None) -> None:
    assert server_version(state(*items)) == said
