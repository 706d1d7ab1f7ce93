import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.worth import worth
from meshforensics.model import Cause, Status
from tests.importers.reports import LIST, data

KIND_FIRST = b"apiVersion: v1\nkind: List\nitems:\n" + b"- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n" * 60
"""A List as tools print it that do not sort keys."""


@pytest.mark.parametrize(
    ("kind", "payload", "status", "cause"),
    [
        pytest.param("envoy.certs", b"", Status.FAILED, Cause.EMPTY, id="no-bytes"),
        pytest.param("envoy.certs", b" \n", Status.FAILED, Cause.EMPTY, id="blank"),
        pytest.param("envoy.certs", b"404 page not found\n", Status.FAILED, Cause.NOT_THE_FORM, id="404"),
        pytest.param("envoy.certs", b"<html>x", Status.FAILED, Cause.NOT_THE_FORM, id="page"),
        pytest.param("envoy.certs", b"certs, please", Status.FAILED, Cause.NOT_THE_FORM, id="text"),
        pytest.param("envoy.certs", b'{"a" 1}', Status.FAILED, Cause.NOT_THE_FORM, id="bad-json"),
        pytest.param("envoy.certs", b'{"certificates": [', Status.PARTIAL, Cause.TRUNCATED, id="cut-json"),
        pytest.param("envoy.certs", b'{"certificates": []}', Status.CAPTURED, None, id="json"),
        pytest.param("envoy.config_dump", b"configs:\n- x: 1\n", Status.CAPTURED, None, id="a-dump-saved-as-yaml"),
        pytest.param("envoy.server_info", b"envoy 5/1.8.0//RELEASE live 1 1 0", Status.CAPTURED, None, id="old-info"),
        pytest.param("istiod.syncz", b"null\n", Status.CAPTURED, None, id="null"),
        pytest.param("foreign.k8s-resources", LIST, Status.CAPTURED, None, id="list"),
        pytest.param("foreign.k8s-resources", LIST[:-50], Status.PARTIAL, Cause.TRUNCATED, id="cut-list"),
        pytest.param("foreign.k8s-resources", LIST + LIST[:-50], Status.PARTIAL, Cause.TRUNCATED, id="cut-second"),
        pytest.param("kubernetes.objects", KIND_FIRST, Status.CAPTURED, None, id="kind-before-items"),
        pytest.param("foreign.crs", b"apiVersion: v1\nitems: []\nkind: List\n", Status.CAPTURED, None, id="no-items"),
        pytest.param("foreign.events", b"Error from server (Forbidden): events", Status.FAILED, Cause.NOT_THE_FORM,
                     id="forbidden"),
        pytest.param("foreign.events", b"No resources found\n", Status.CAPTURED, None, id="there-are-none"),
        pytest.param("log.istio-proxy", b"error: a line of a log\n", Status.CAPTURED, None, id="errors-in-a-log"),
    ],
)  # fmt: skip
def test_worth(kind: str, payload: bytes, status: Status, cause: Cause | None) -> None:
    assert worth(kind, payload)[:2] == (status, cause)


def test_what_the_archive_cut_is_partial_whatever_it_is() -> None:
    assert worth("envoy.memory", b"{}", cut=True)[:2] == (Status.PARTIAL, Cause.TRUNCATED)


@given(length=st.integers(1, 6000))
def test_a_cut_dump_is_never_whole(length: int) -> None:
    dump = data("envoy-1.40/config_dump.json")

    assert worth("envoy.config_dump", dump[:length].rstrip())[:2] == (Status.PARTIAL, Cause.TRUNCATED)


@given(st.binary(max_size=200), st.sampled_from(["envoy.certs", "foreign.crs", "log.x", "unknown"]))
def test_any_bytes_have_a_worth(payload: bytes, kind: str) -> None:
    status, cause, _ = worth(kind, payload)

    assert (cause is None) == (status is Status.CAPTURED)
