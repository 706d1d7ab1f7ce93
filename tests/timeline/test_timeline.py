"""The timeline: what happened first, on which plane, and where it is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from meshforensics.testing import frame
from meshforensics.timeline import gateway_pods, timeline
from tests.conftest import Opened
from tests.tables.reading import cells

pytestmark = pytest.mark.usefixtures("untraced")


@dataclass(frozen=True)
class Frames:
    """Tables made by hand; one that is not given is empty, as where nothing was captured."""

    given: Mapping[str, pd.DataFrame]

    def frame(self, name: str) -> pd.DataFrame:
        """A table."""
        return self.given.get(name, frame(name))


def times(*clock: str) -> list[pd.Timestamp]:
    return [pd.Timestamp(f"2026-01-01T{each}Z") for each in clock]


def test_an_upgrade_is_told_from_the_change_to_the_failing_calls(captures: Path, opened: Opened) -> None:
    told = timeline(opened(captures / "upgrade-503"))

    assert cells(told, "plane", "kind") == [
        ("state", "secret"),
        ("state", "secret"),
        ("state", "config"),
        ("state", "config"),
        ("control", "rejection"),
        ("control", "proxy-error"),
        ("control", "proxy-error"),
        ("control", "istiod-error"),
        ("edge", "first-failure"),
        ("service", "first-failure"),
        ("edge", "last-success"),
        ("", "capture"),
    ]
    assert cells(told, "at", "pointer", kind="config", subject="DestinationRule:bank/menu") == [
        ("2026-11-26T05:17:07+00:00", "/items/2")
    ]


def test_every_line_is_at_a_place_of_the_bundle(captures: Path, opened: Opened) -> None:
    for name in ("ca-rotation", "memory-leak", "upgrade-503", "healthy"):
        b = opened(captures / name)
        known = {item.id for item in b.bundle.items}

        told = timeline(b)

        assert set(told["item"]) <= known
        assert told["at"].is_monotonic_increasing


def test_a_healthy_mesh_has_no_failure(captures: Path, opened: Opened) -> None:
    told = timeline(opened(captures / "healthy"))

    assert {"first-failure", "rejection"} & set(told["kind"]) == set()


def test_what_was_not_captured_tells_nothing() -> None:
    told = timeline(Frames({}))

    assert list(told.columns) == ["at", "plane", "kind", "subject", "text", "item", "pointer"]
    assert told.empty


def test_the_first_failure_of_each_reason_is_told() -> None:
    calls = frame(
        "calls",
        namespace=["shop"] * 4,
        pod=["web-1"] * 4,
        at=times("12:00:03", "12:00:01", "12:00:02", "12:00:00"),
        caller=["shop/web"] * 4,
        host=["db.shop"] * 4,
        status=[503, 503, 504, 200],
        flags=[("UF",), ("UF",), ("UT",), ()],
        family=["connect-failure", "connect-failure", "upstream-timeout", ""],
        failed=[True, True, True, False],
    )

    told = timeline(Frames({"calls": calls}))

    assert cells(told, "at", "plane", "kind", "subject", "pointer") == [
        ("2026-01-01T12:00:01+00:00", "service", "first-failure", "shop/web", "/1"),
        ("2026-01-01T12:00:02+00:00", "service", "first-failure", "shop/web", "/2"),
    ]


def test_calls_of_a_gateway_are_on_the_edge_with_the_last_that_passed() -> None:
    proxies = frame("proxies", namespace=["edge"], pod=["gw-1"], role=["router"])
    calls = frame(
        "calls",
        namespace=["edge"] * 2,
        pod=["gw-1"] * 2,
        at=times("12:00:00", "12:00:01"),
        caller=["edge/gw"] * 2,
        host=["web.shop"] * 2,
        status=[200, 503],
        flags=[(), ("UH",)],
        family=["", "no-healthy-upstream"],
        failed=[False, True],
    )

    told = timeline(Frames({"calls": calls, "proxies": proxies}))

    assert cells(told, "at", "plane", "kind") == [
        ("2026-01-01T12:00:00+00:00", "edge", "last-success"),
        ("2026-01-01T12:00:01+00:00", "edge", "first-failure"),
    ]
    assert gateway_pods(proxies) == {("edge", "gw-1")}


def test_secrets_that_arrive_together_are_one_line_and_later_ones_another() -> None:
    held = frame(
        "secret_instances",
        namespace=["shop"] * 3,
        pod=["a", "b", "c"],
        name=["ROOTCA"] * 3,
        last_updated=times("12:00:00", "12:00:02", "12:00:05"),
    )

    told = timeline(Frames({"secret_instances": held}))

    assert cells(told, "subject", "text") == [
        ("shop/a", "secret ROOTCA reaches a, b"),
        ("shop/c", "secret ROOTCA reaches c"),
    ]


def test_a_restart_and_who_changed_what() -> None:
    containers = frame(
        "containers",
        namespace=["shop"],
        pod=["web-1"],
        container=["istio-proxy"],
        restarts=[2],
        last_reason=["OOMKilled"],
        last_exit_code=[137],
        last_finished_at=times("12:00:01"),
    )
    config = frame(
        "config", object=["VirtualService:shop/web"], changed_at=times("12:00:00"), changed_by=["kubectl-edit"]
    )

    told = timeline(Frames({"containers": containers, "config": config}))

    assert cells(told, "plane", "kind", "text") == [
        ("state", "config", "VirtualService:shop/web is changed by kubectl-edit"),
        ("service", "restart", "istio-proxy of web-1 ended: OOMKilled, exit code 137; 2 restarts"),
    ]


def test_only_warnings_of_kubernetes_and_each_once() -> None:
    events = frame(
        "events",
        at=times("12:00:00", "12:00:01", "12:00:02"),
        event=["shop/a", "shop/b", "shop/c"],
        type=["Normal", "Warning", "Warning"],
        object=["Pod:shop/web-1"] * 3,
        reason=["Pulled", "Unhealthy", "Unhealthy"],
        message=["image\npulled", "probe failed", "probe failed"],
    )

    told = timeline(Frames({"events": events}))

    assert cells(told, "text", "pointer") == [("Pod:shop/web-1: Unhealthy: probe failed", "/1")]


def test_a_line_without_a_time_is_left_out() -> None:
    events = frame("events", at=[None], type=["Warning"], object=["Pod:a/b"], reason=["x"], message=["y"])

    assert timeline(Frames({"events": events})).empty
