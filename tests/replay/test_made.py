"""Objects out of tables that kubectl printed."""

import pytest

from meshforensics.formats.kubernetes import STAND_IN
from meshforensics.model import Item, Status, parse_time
from meshforensics.replay._made import printed

AT = parse_time("2026-01-01T12:00:00Z")
WIDE = b"""\
NAMESPACE  LAST SEEN  TYPE     REASON   OBJECT     SUBOBJECT  SOURCE             MESSAGE  FIRST SEEN  COUNT  NAME
shop       2m         Warning  BackOff  pod/web-0             kubelet, worker-1  failed   1h          17     web-0.1
shop       <unknown>  Normal   Scaled   widget/w   x          boss               made     <unknown>   1      w.1
"""
SHORT = b"""\
NAMESPACE   LAST SEEN   TYPE     REASON    OBJECT          MESSAGE
default     5s          Normal   Starting  node/worker-1   Starting kubelet.
"""
SECRETS = b"""\
NAMESPACE      NAME      TYPE     DATA   AGE
istio-system   cacerts   Opaque   4      31h
"""
TOP = b"""\
NAMESPACE   POD     NAME          CPU(cores)   MEMORY(bytes)
shop        web-0   app           1m           20Mi
shop        web-0   istio-proxy   9m           67Mi
"""
TOP_PODS = b"""\
NAMESPACE   NAME    CPU(cores)   MEMORY(bytes)
shop        web-0   10m          87Mi
"""
TOP_NODES = b"""\
NAME       CPU(cores)   CPU%   MEMORY(bytes)   MEMORY%
worker-1   100m         5%     2000Mi          50%
"""


def made(kind: str, payload: bytes, *, known: bool = True) -> list[dict[str, object]]:
    """The objects without what says that they were made."""
    item = Item(kind=kind, subject="-", status=Status.CAPTURED, captured_at=AT if known else None)
    bodies = [one.body for one in printed(item, payload) or ()]
    for body in bodies:
        why = body["metadata"].pop("annotations")[STAND_IN]
        assert why.startswith(f"made of a line that kubectl printed: {kind}, L")
    return bodies


def test_events_of_a_wide_table_have_their_times() -> None:
    backoff, other = made("foreign.events", WIDE)

    assert backoff == {
        "metadata": {"name": "web-0.1", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "name": "web-0", "namespace": "shop"},
        "type": "Warning",
        "reason": "BackOff",
        "message": "failed",
        "source": {"component": "kubelet", "host": "worker-1"},
        "lastTimestamp": "2026-01-01T11:58:00Z",
        "firstTimestamp": "2026-01-01T11:00:00Z",
        "count": 17,
    }
    assert other["source"] == {"component": "boss"}
    assert not {"lastTimestamp", "firstTimestamp"} & set(other)


def test_events_of_a_short_table_have_names_of_their_own() -> None:
    (event,) = made("foreign.events", SHORT)

    assert event["metadata"] == {"name": "worker-1.l2", "namespace": "default"}
    assert event["involvedObject"] == {"kind": "Node", "name": "worker-1"}
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2026-01-01T11:59:55Z"


def test_without_a_capture_time_an_age_is_no_instant() -> None:
    assert "lastTimestamp" not in made("foreign.events", SHORT, known=False)[0]


def test_secrets_have_names_and_types_and_nothing_in_them() -> None:
    metadata = {"name": "cacerts", "namespace": "istio-system", "creationTimestamp": "2025-12-31T05:00:00Z"}

    assert made("foreign.secrets", SECRETS) == [{"metadata": metadata, "type": "Opaque"}]


@pytest.mark.parametrize(
    ("table", "containers"),
    [
        pytest.param(
            TOP,
            [
                {"name": "app", "usage": {"cpu": "1m", "memory": "20Mi"}},
                {"name": "istio-proxy", "usage": {"cpu": "9m", "memory": "67Mi"}},
            ],
            id="containers",
        ),
        pytest.param(TOP_PODS, [{"name": "", "usage": {"cpu": "10m", "memory": "87Mi"}}], id="whole-pods"),
    ],
)
def test_usage_is_one_object_a_pod(table: bytes, containers: list[object]) -> None:
    (usage,) = made("foreign.top-pods", table)

    assert usage["metadata"] == {"name": "web-0", "namespace": "shop"}
    assert usage["containers"] == containers


def test_usage_of_nodes_is_none_of_pods() -> None:
    assert made("foreign.top-pods", TOP_NODES) == []


@pytest.mark.parametrize(
    ("kind", "payload", "count"),
    [
        pytest.param("foreign.events", b"No resources found\n", 0, id="empty"),
        pytest.param("foreign.events", b"error: forbidden\n", None, id="no-table"),
        pytest.param("foreign.describe-pods", WIDE, None, id="another-member"),
    ],
)
def test_no_table_is_not_an_empty_one(kind: str, payload: bytes, count: int | None) -> None:
    found = printed(Item(kind=kind, subject="-", status=Status.CAPTURED, captured_at=AT), payload)

    assert (len(found) if found is not None else None) == count
