"""Drift: between replicas, between captures, and by hand."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.drift import changed_between_captures, edited_by_hand, edited_over_source, replicas_differ
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.objects import NOON, said_of_frames

MINUTE = pd.Timedelta(minutes=1)


def _managers(*entries: tuple[str, int, tuple[str, ...]], subresource: str | None = None) -> pd.DataFrame:
    count = len(entries)
    return frame(
        "field_managers",
        object=["VirtualService:shop/pay"] * count,
        manager=[manager for manager, _, _ in entries],
        at=[NOON - ago * MINUTE for _, ago, _ in entries],
        subresource=[subresource] * count,
        fields=[fields for _, _, fields in entries],
    )


SPEC = ("spec.http",)


@pytest.mark.parametrize(
    ("managers", "alone", "over"),
    [
        pytest.param(_managers(("kubectl-patch", 5, SPEC)), 1, 0, id="patched"),
        pytest.param(_managers(("kubectl-edit", 5, SPEC), ("argocd-controller", 60, SPEC)), 0, 1, id="over-a-source"),
        pytest.param(_managers(("kubectl-edit", 60, SPEC), ("argocd-controller", 5, SPEC)), 1, 0, id="applied-since"),
        pytest.param(_managers(("kubectl-edit", 5, SPEC), ("kubectl-client-side-apply", 9, SPEC)), 0, 1, id="applied"),
        pytest.param(_managers(("argocd-controller", 5, SPEC)), 0, 0, id="declared"),
        pytest.param(_managers(("kubectl-client-side-apply", 5, SPEC)), 0, 0, id="kubectl-apply-is-declared"),
        pytest.param(_managers(("pilot-discovery", 5, SPEC)), 0, 0, id="a-controller"),
        pytest.param(_managers(("kubectl-annotate", 5, ())), 0, 0, id="no-field-of-its-spec"),
        pytest.param(_managers(("kubectl-edit", 5, SPEC), subresource="status"), 0, 0, id="of-its-status"),
    ],
)
def test_edits_by_hand(managers: pd.DataFrame, alone: int, over: int) -> None:
    said = outcome(edited_by_hand, field_managers=managers)
    worse = outcome(edited_over_source, field_managers=managers)

    assert [each.severity for each in said.findings] == [Severity.INFO] * alone
    assert [each.severity for each in worse.findings] == [Severity.WARNING] * over


def _config(
    *rows: tuple[int, str, str | None], kind: str = "foreign.crs", what: str = "VirtualService"
) -> pd.DataFrame:
    """(minutes ago, object, spec) of captures."""
    return frame(
        "config",
        object=[name for _, name, _ in rows],
        kind=[what] * len(rows),
        group=["networking.istio.io"] * len(rows),
        spec=[spec for _, _, spec in rows],
        captured_at=[NOON - ago * MINUTE for ago, _, _ in rows],
        source_kind=[kind] * len(rows),
        item=[f"{kind}:-@{ago}" for ago, _, _ in rows],
    )


def _over_time(*rows: tuple[int, str, str | None], **more: str) -> pd.DataFrame:
    """As the table is over time: an object has a row per capture."""
    parts = [_config(row, **more) for row in rows]
    return pd.concat([each.astype("object") for each in parts], ignore_index=True)


@pytest.mark.parametrize(
    ("config", "found"),
    [
        pytest.param(_over_time((5, "a", "1"), (0, "a", "1")), [], id="the-same"),
        pytest.param(_over_time((5, "a", "1"), (0, "a", "2")), [("a", "changed")], id="changed"),
        pytest.param(_over_time((5, "a", "1"), (5, "b", "1"), (0, "a", "1")), [("b", "removed")], id="removed"),
        pytest.param(_over_time((5, "a", "1"), (0, "a", "1"), (0, "b", "1")), [("b", "added")], id="added"),
        pytest.param(_over_time((5, "a", "1")), [], id="one-capture"),
        pytest.param(
            _over_time((5, "a", "1"), (0, "a", "2"), (0, "b", "1"), kind="istiod.configz"),
            [("a", "changed")],
            id="istiod-fills-up",
        ),
        pytest.param(_over_time((5, "a", "1"), (0, "a", "2"), what="ConfigMap"), [], id="leader-election-and-the-like"),
    ],
)
def test_changed_between_captures(config: pd.DataFrame, found: list[tuple[str, str]]) -> None:
    said = outcome(changed_between_captures, config_over_time=config)

    assert [(each.subjects[0], each.observed.value) for each in said.findings if each.observed] == found
    assert [each.severity for each in said.findings] == [Severity.INFO] * len(found)


def test_a_list_of_one_namespace_and_one_of_all_are_compared_for_that_namespace() -> None:
    shop = _over_time((5, "a", "1"), (5, "b", "1")).assign(item="kubernetes.crs:Namespace:shop@5", namespace="shop")
    whole = _over_time((0, "a", "2"), (0, "b", "1"), (0, "c", "1")).assign(item="kubernetes.crs:-@0")
    config = pd.concat([shop, whole.assign(namespace=["shop", "shop", "ads"])], ignore_index=True)

    said = outcome(changed_between_captures, config_over_time=config)

    assert [(each.subjects[0], each.observed.value) for each in said.findings if each.observed] == [("a", "changed")]


def _replicas(
    *resources: str,
    name: str = "0.0.0.0_80",
    ago_s: int = 600,
    versions: tuple[str, ...] = (),
    templates: tuple[str, ...] = (),
    table: str = "listener_instances",
    cluster_type: str = "EDS",
) -> dict[str, Any]:
    """Replicas of one workload that hold a resource each."""
    count = len(resources)
    where = {"namespace": ["shop"] * count, "pod": [f"web-{number}" for number in range(count)]}
    held = frame(
        table,
        **where,
        name=[name] * count,
        resource=list(resources),
        state=["active"] * count,
        last_updated=[NOON - pd.Timedelta(seconds=ago_s)] * count,
        captured_at=[NOON] * count,
    )
    tables = ("listener_instances", "cluster_instances", "route_instances")
    given = {each: held if each == table else frame(each) for each in tables}
    labels = [f'{{"pod-template-hash":"{each}"}}' for each in templates or ("x",) * count]
    return {
        **given,
        "proxies": frame("proxies", **where, workload=["web"] * count, version=list(versions or ("1.24",) * count)),
        "pods": frame("pods", **where, labels=labels),
        "clusters": frame("clusters", resource=["new"], name=[name], type=[cluster_type]),
        "listeners": frame("listeners"),
    }


def _bound(*listeners: tuple[str, tuple[str, ...]], opens: bool = True) -> dict[str, Any]:
    """Replicas at 10.0.0.0 and on, whose listeners say where they are bound, and the addresses in them."""
    count = len(listeners)
    given = _replicas(*(f"r{number}" for number in range(count)))
    return {
        **given,
        "proxies": given["proxies"].assign(ip=[f"10.0.0.{number}" for number in range(count)]),
        "listeners": frame(
            "listeners",
            resource=[f"r{number}" for number in range(count)],
            address=[f"{at}:80" for at, _ in listeners],
            bind_to_port=[opens] * count,
            outline=["alike"] * count,
            ips=[ips for _, ips in listeners],
        ),
    }


@pytest.mark.parametrize(
    ("given", "odd"),
    [
        pytest.param(_replicas("a", "a", "a"), [], id="alike"),
        pytest.param(_replicas("a", "a", "b"), [("shop/web-2",)], id="one-differs"),
        pytest.param(_replicas("a", "a", "b", ago_s=59), [], id="a-push-is-under-way"),
        pytest.param(_replicas("a", "a", "b", ago_s=60), [("shop/web-2",)], id="settled"),
        pytest.param(_replicas("a", "b", versions=("1.24", "1.25")), [], id="of-two-versions"),
        pytest.param(_replicas("a", "b", templates=("x", "y")), [], id="of-two-templates"),
        pytest.param(_replicas("old", "new", table="cluster_instances"), [("shop/web-0",)], id="a-cluster"),
        pytest.param(
            _replicas("old", "new", "new", table="cluster_instances", cluster_type="STRICT_DNS"),
            [],
            id="hosts-weighed-by-place",
        ),
        pytest.param(_replicas("a", "a", "b", table="route_instances", name="80"), [("shop/web-2",)], id="a-route"),
        pytest.param(
            _bound(("10.0.0.0", ("10.0.0.0", "10.9.9.9")), ("10.0.0.1", ("10.0.0.1", "10.9.9.9"))),
            [],
            id="each-bound-to-its-pods-address",
        ),
        pytest.param(
            _bound(("127.0.1.1", ("127.0.1.1",)), ("127.0.1.2", ("127.0.1.2",))),
            [],
            id="each-bound-to-an-address-of-its-own",
        ),
        pytest.param(
            _bound(("10.96.0.1", ("10.96.0.1",)), ("10.96.0.2", ("10.96.0.2",)), opens=False),
            [("shop/web-1",)],
            id="handed-over-to-for-other-addresses",
        ),
        pytest.param(
            _bound(("10.0.0.0", ("10.0.0.0", "10.9.9.9")), ("10.0.0.1", ("10.0.0.1", "10.9.9.8"))),
            [("shop/web-0",)],
            id="another-address-beside-its-own",
        ),
        pytest.param(
            _bound(("0.0.0.0", ("0.0.0.0", "10.9.9.9")), ("0.0.0.0", ("0.0.0.0", "10.9.9.8"))),
            [("shop/web-1",)],
            id="bound-to-every-address",
        ),
    ],
)
def test_replicas_differ(given: dict[str, Any], odd: list[tuple[str, ...]]) -> None:
    said = said_of_frames(replicas_differ, given)

    assert [each.subjects for each in said.findings] == odd
    assert [each.severity for each in said.findings] == [Severity.WARNING] * len(odd)


@pytest.mark.parametrize("check", [edited_by_hand, edited_over_source, changed_between_captures, replicas_differ])
def test_without_their_tables_they_are_not_evaluated(check: Check) -> None:
    assert (outcome(check).not_evaluated or "").startswith("not captured: ")


@pytest.mark.parametrize("check", [edited_by_hand, edited_over_source])
def test_nothing_managed_is_nothing_edited(check: Check) -> None:
    assert outcome(check, field_managers=frame("field_managers")).findings == ()
