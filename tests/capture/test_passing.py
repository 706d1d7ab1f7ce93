"""When a proxy's memory passes its threshold: once for each passing, by whichever measure, and not without end."""

import json
from collections.abc import Mapping

import pytest

from meshforensics.capture._ask import Ask
from meshforensics.capture._passing import MOST, Passings
from meshforensics.capture._reply import Outcome
from meshforensics.formats.kubernetes import decode
from meshforensics.model import Status
from meshforensics.profile import load_profile
from tests.replay.evidence import listed, pod

MIB = 1024**2


def passings(limit: str = "") -> Passings:
    made = Passings(load_profile())
    body = pod("web-1")
    if limit:
        body["spec"]["containers"][1]["resources"] = {"limits": {"memory": limit}}
    made.learn(decode(listed("Pod", body)))
    return made


def memory(of: Passings, mib: float, *, dump: bool = True, more: Mapping[str, str] | None = None) -> list[str]:
    payload = json.dumps({"allocated": str(int(mib * MIB)), **(more or {})}).encode()
    outcome = Outcome(status=Status.CAPTURED, payload=payload)
    return [subject for subject, _ in of.seen(Ask(kind="envoy.memory", subject="shop/web-1"), outcome, dump=dump)]


def test_each_passing_is_told_once() -> None:
    of = passings()

    assert [bool(memory(of, mib)) for mib in (399, 400, 450, 390, 401, 100, 400)] == [
        False, True, False, False, False, False, True,
    ]  # fmt: skip


def test_what_was_above_when_all_was_taken_has_not_passed_since() -> None:
    of = passings()

    assert (memory(of, 500, dump=False), memory(of, 500)) == ([], [])


@pytest.mark.parametrize(("limit", "threshold"), [("", 400), ("256Mi", 204.8), ("1Gi", 400), ("nonsense", 400)])
def test_a_share_of_its_own_limit_comes_first_where_it_is_less(limit: str, threshold: float) -> None:
    assert passings(limit).threshold("shop/web-1") == threshold * MIB


def test_pages_that_were_given_back_do_not_count() -> None:
    heap = {"heap_size": str(600 * MIB), "pageheap_unmapped": str(300 * MIB)}

    assert memory(passings(), 200, more=heap) == []
    assert memory(passings(), 200, more={**heap, "pageheap_unmapped": "0"}) == ["shop/web-1"]
    assert memory(passings(), 200, more={**heap, "total_physical_bytes": str(410 * MIB)}) == ["shop/web-1"]


def test_a_working_set_counts_too() -> None:
    metrics = {
        "metadata": {"name": "web-1", "namespace": "shop"},
        "containers": [
            {"name": "app", "usage": {"memory": "900Mi"}},
            {"name": "istio-proxy", "usage": {"memory": "450Mi"}},
        ],
    }
    payload = listed("PodMetrics", metrics, version="metrics.k8s.io/v1beta1")
    outcome = Outcome(status=Status.CAPTURED, payload=payload)

    found = list(passings().seen(Ask(kind="kubernetes.usage", subject="-"), outcome, dump=True))

    assert found == [("shop/web-1", f"taken because its memory passed {400 * MIB} bytes: {450 * MIB}")]


@pytest.mark.parametrize("payload", [None, b"not json", b"{}"])
def test_what_is_no_number_passes_nothing(payload: bytes | None) -> None:
    outcome = Outcome(status=Status.FAILED, payload=payload)

    assert list(passings().seen(Ask(kind="envoy.memory", subject="a/b"), outcome, dump=True)) == []


def test_a_mesh_that_grows_as_a_whole_is_not_dumped_as_a_whole() -> None:
    of = passings()
    outcome = Outcome(status=Status.CAPTURED, payload=b'{"allocated": "999999999"}')

    found = [
        subject
        for number in range(MOST + 5)
        for subject, _ in of.seen(Ask(kind="envoy.memory", subject=f"shop/web-{number}"), outcome, dump=True)
    ]

    assert len(found) == MOST
