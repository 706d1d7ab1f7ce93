"""Versions of control planes: of each istiod, else of none in particular."""

import json
from pathlib import Path

import pytest

from meshforensics.investigation import Investigation
from meshforensics.testing import tables_of
from tests.conftest import Opened
from tests.tables.reading import cells

BUILT = b'# TYPE istio_build gauge\nistio_build{component="pilot",tag="1.27.3"} 1\n'
ISTIOD = "istio-system/istiod-1"


def _pod(image: str) -> bytes:
    spec = {"containers": [{"name": "discovery", "image": image}]}
    meta = {"namespace": "istio-system", "name": "istiod-1"}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}).encode()


@pytest.mark.parametrize(
    ("items", "versions"),
    [
        pytest.param([("istiod.metrics", ISTIOD, BUILT)], [("istiod-1", "1.27.3")], id="its-own-word"),
        pytest.param(
            [("kubernetes.pods", "-", _pod("docker.io/istio/pilot:1.26.1-distroless"))],
            [("istiod-1", "1.26.1-distroless")],
            id="the-tag-of-its-image",
        ),
        pytest.param(
            [("istiod.metrics", ISTIOD, BUILT), ("kubernetes.pods", "-", _pod("x/pilot:1.26.1"))],
            [("istiod-1", "1.27.3")],
            id="its-own-word-first",
        ),
        pytest.param([("kubernetes.pods", "-", _pod("x/pilot@sha256:12"))], [], id="a-digest-tells-none"),
        pytest.param([("envoy.stats_prometheus", "shop/web-1", BUILT)], [], id="a-proxy-is-none"),
    ],
)
def test_control_plane_versions(items: list[tuple[str, str, bytes]], versions: list[tuple[object, ...]]) -> None:
    assert cells(tables_of(*items).frame("control_plane_versions"), "pod", "version") == versions


def test_what_a_report_lists_is_of_no_pod_in_particular(upgrade: Investigation) -> None:
    made = upgrade.frame("control_plane_versions")

    assert {version for (version,) in cells(made, "version")} == {"1.31.0"}


def test_a_real_istiod(corpus: Path, opened: Opened) -> None:
    case = opened(corpus / "bugreport" / "istio_2023-05")

    assert cells(case.frame("control_plane_versions"), "pod", "version") == [("istiod-7bf5f89d87-bmlhz", "1.17.2")]
