"""Routes of proxies against the VirtualServices that were captured."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from meshforensics.checks.sync_routes import routes_differ, routes_of_gone_object
from meshforensics.model import Severity
from meshforensics.profile import load_profile
from meshforensics.tables.virtual_services import virtual_service_rules
from meshforensics.testing import Said, frame, outcome
from tests.conftest import Opened

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
LONG_AGO, LATELY = NOON - pd.Timedelta(hours=2), NOON - pd.Timedelta(hours=1)
PAY = "VirtualService:shop/pay"
HOST = "pay.shop.svc.cluster.local"


def _to(subset: str, weight: int | None = None, host: str = "pay") -> dict[str, Any]:
    return {"destination": {"host": host, "subset": subset}} | ({} if weight is None else {"weight": weight})


def _rule(*route: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"route": list(route), **more}


def _objects(*http: dict[str, Any], changed_at: pd.Timestamp | None = LATELY, name: str = "pay") -> pd.DataFrame:
    return frame(
        "config",
        namespace=["shop"],
        name=[name],
        kind=["VirtualService"],
        group=["networking.istio.io"],
        object=[f"VirtualService:shop/{name}"],
        spec=[json.dumps({"hosts": ["pay"], "http": list(http)})],
        captured_at=[NOON],
        changed_at=[changed_at],
        item=["kubernetes.virtualservices.networking.istio.io:-@x"],
    )


def _routes(*leads: tuple[int, str, int | None], resource: str = "old", name: str = PAY) -> pd.DataFrame:
    """Routes of one configuration: the place of each, the subset that it leads to, and its weight."""
    return frame(
        "routes",
        resource=[resource] * len(leads),
        route_config=["80"] * len(leads),
        virtual_host=[f"{HOST}:80"] * len(leads),
        order=[order for order, _, _ in leads],
        cluster=[f"outbound|80|{subset}|{HOST}" for _, subset, _ in leads],
        weight=[weight for _, _, weight in leads],
        object=[name] * len(leads),
    )


def _held(resource: str = "old", *pods: str, updated: pd.Timestamp = LONG_AGO) -> pd.DataFrame:
    pods = pods or ("web-1",)
    return frame(
        "route_instances",
        namespace=["shop"] * len(pods),
        pod=list(pods),
        captured_at=[NOON] * len(pods),
        resource=[resource] * len(pods),
        name=["80"] * len(pods),
        state=["active"] * len(pods),
        last_updated=[updated] * len(pods),
    )


def _judged(objects: pd.DataFrame, routes: pd.DataFrame, held: pd.DataFrame, **more: Any) -> Said:
    assert virtual_service_rules.derives is not None
    rules = virtual_service_rules.derives(objects)
    given: dict[str, Any] = {
        "routes": routes,
        "route_instances": held,
        "virtual_service_rules": rules,
        "config": objects,
    }
    return outcome(routes_differ, **given, **more)


SPLIT = _rule(_to("v1", 90), _to("v2", 10))
CANARY = {"match": [{"headers": {"x-canary": {"exact": "1"}}}]}


@pytest.mark.parametrize(
    ("rules", "held", "unlike"),
    [
        pytest.param([SPLIT], _routes((0, "v1", 90), (0, "v2", 10)), "", id="the-same"),
        pytest.param([_rule(_to("v1"))], _routes((0, "v1", None)), "", id="one-destination"),
        pytest.param([_rule(_to("v1", 100), _to("v2", 0))], _routes((0, "v1", 100)), "", id="without-weight"),
        pytest.param([_rule(_to("v1", 9), _to("v2", 1))], _routes((0, "v1", 90), (0, "v2", 10)), "", id="shares"),
        pytest.param([_rule(_to("v1"), mirror={"host": "x"})], _routes((0, "v1", None)), "", id="mirror"),
        pytest.param(
            [SPLIT],
            _routes((0, "v1", 50), (0, "v2", 50)),
            "they lead to pay.shop v1 50%, pay.shop v2 50%, and they lack the rule to pay.shop v1 90%, pay.shop v2 10%",
            id="other-weights",
        ),
        pytest.param(
            [_rule(_to("v2"))],
            _routes((0, "v1", None)),
            "they lead to pay.shop v1, and they lack the rule to pay.shop v2",
            id="another-subset",
        ),
        pytest.param(
            [_rule(_to("v2"), **CANARY), _rule(_to("v1"))],
            _routes((0, "v1", None)),
            "they lack the rule to pay.shop v2",
            id="a-rule-was-added",
        ),
        pytest.param(
            [_rule(_to("v1")), _rule(_to("v2"), **CANARY)], _routes((0, "v1", None)), "", id="behind-one-that-takes-all"
        ),
        pytest.param(
            [_rule(_to("v2"), match=[{"gateways": ["edge"]}]), _rule(_to("v1"))],
            _routes((0, "v1", None)),
            "",
            id="a-rule-for-others",
        ),
        pytest.param([_rule(delegate={"name": "x"})], _routes((0, "v1", None)), "", id="delegated"),
        pytest.param(
            [_rule(redirect={"uri": "/x"})], _routes((0, "v1", None)), "they lead to pay.shop v1", id="no-more"
        ),
    ],
)
def test_routes_differ(rules: list[dict[str, Any]], held: pd.DataFrame, unlike: str) -> None:
    said = _judged(_objects(*rules), held, _held())

    assert [(each.severity, each.detail.partition("Z: ")[2]) for each in said.findings] == (
        [(Severity.WARNING, unlike)] if unlike else []
    )


@pytest.mark.parametrize(
    ("changed_at", "updated", "found"),
    [
        pytest.param(LATELY, LONG_AGO, 1, id="changed-since"),
        pytest.param(NOON - pd.Timedelta(seconds=60), LONG_AGO, 1, id="just-settled"),
        pytest.param(NOON - pd.Timedelta(seconds=59), LONG_AGO, 0, id="a-push-may-be-under-way"),
        pytest.param(LONG_AGO, LATELY, 0, id="given-routes-after-the-change"),
        pytest.param(None, LONG_AGO, 0, id="since-when-is-not-told"),
    ],
)
def test_only_what_was_changed_since_and_long_ago_is_judged(
    changed_at: pd.Timestamp | None, updated: pd.Timestamp, found: int
) -> None:
    said = _judged(_objects(SPLIT, changed_at=changed_at), _routes((0, "v1", None)), _held(updated=updated))

    assert len(said.findings) == found


def test_a_neighbour_that_has_it_tells_since_when_it_is_said() -> None:
    """The API server's managed fields are not in every list."""
    routes = pd.concat([_routes((0, "v1", None)), _routes((0, "v2", None), resource="new")], ignore_index=True)
    held = pd.concat([_held("old", "web-1", "web-2"), _held("new", "web-3", updated=LATELY)], ignore_index=True)

    (finding,) = _judged(_objects(_rule(_to("v2")), changed_at=None), routes, held).findings

    assert finding.subjects == ("shop/web-1", "shop/web-2")
    assert "as of 2026-01-01T10:00:00Z, before 2026-01-01T11:00:00Z" in finding.detail


def test_what_rewrites_routes_or_stands_for_another_host_is_not_judged() -> None:
    given = (_objects(_rule(_to("v2"))), _routes((0, "v1", None)), _held())
    filters = frame("envoy_filter_patches", apply_to=["HTTP_ROUTE"])
    alias = frame("services", namespace=["shop"], name=["pay"], type=["ExternalName"])

    assert _judged(*given, envoy_filter_patches=filters).findings == ()
    assert _judged(*given, services=alias).findings == ()
    assert len(_judged(*given, envoy_filter_patches=frame("envoy_filter_patches", apply_to=["CLUSTER"])).findings) == 1


def _lists(*seen: tuple[int, tuple[str, ...]], of: str = "-") -> pd.DataFrame:
    """Lists of VirtualServices: seconds before noon, and what they have."""
    rows = [(NOON - pd.Timedelta(seconds=ago), name) for ago, names in seen for name in names]
    return frame(
        kind=["VirtualService"] * len(rows),
        object=[f"VirtualService:shop/{name}" for _, name in rows],
        captured_at=[at for at, _ in rows],
        item=[f"kubernetes.virtualservices.networking.istio.io:{of}@x"] * len(rows),
    )


@pytest.mark.parametrize(
    ("lists", "updated", "found"),
    [
        pytest.param(_lists((60, ("web",))), LONG_AGO, 1, id="gone"),
        pytest.param(_lists((59, ("web",))), LONG_AGO, 0, id="a-push-may-be-under-way"),
        pytest.param(_lists((90, ("web", "pay")), (60, ("web",))), LONG_AGO, 1, id="gone-between-two-lists"),
        pytest.param(_lists((90, ("web",)), (60, ("web", "pay"))), LONG_AGO, 0, id="there-again"),
        pytest.param(_lists((90, ("web",)), (0, ("web",))), LONG_AGO, 1, id="since-the-first-that-lacks-it"),
        pytest.param(_lists((60, ("web",))), NOON - pd.Timedelta(seconds=30), 0, id="newer-than-the-list"),
        pytest.param(_lists((60, ("other",))), LONG_AGO, 0, id="a-list-of-another-place"),
        pytest.param(
            _lists((60, ("web",)), of="shop"),
            LONG_AGO,
            0,
            id="a-list-of-one-namespace",
        ),
    ],
)
def test_routes_of_gone_object(lists: pd.DataFrame, updated: pd.Timestamp, found: int) -> None:
    routes = pd.concat(
        [_routes((0, "v1", None)), _routes((0, "v1", None), name="VirtualService:shop/web")], ignore_index=True
    )

    said = outcome(
        routes_of_gone_object,
        routes=routes,
        route_instances=_held(updated=updated),
        custom_resources_over_time=lists,
    )

    assert [(each.severity, each.subjects) for each in said.findings] == [(Severity.WARNING, ("shop/web-1",))] * found


def test_without_objects_they_are_not_evaluated() -> None:
    given: dict[str, Any] = {"routes": _routes((0, "v1", None)), "route_instances": _held()}

    assert outcome(routes_differ, **given).not_evaluated == "not captured: virtual_service_rules; not captured: config"
    assert outcome(routes_of_gone_object, **given).not_evaluated == "not captured: custom_resources"


def test_real_routes_are_those_of_their_virtual_services_until_these_are_changed(
    captures: Path, opened: Opened, tmp_path: Path
) -> None:
    """Of proxies that ran for half a minute; in the second case the split was turned round meanwhile."""
    case = opened(captures / "healthy")
    (tmp_path / "soon.yaml").write_text("name: soon\nnumbers: {drift.settled: {value: 5, unit: s}}\n", encoding="utf-8")
    profile = load_profile(tmp_path / "soon.yaml")
    routes, held, rules = (case.frame(each) for each in ("routes", "route_instances", "virtual_service_rules"))
    changed_at = held["captured_at"].max() - pd.Timedelta(seconds=10)
    config = case.frame("config").assign(changed_at=changed_at)
    turned = rules.assign(weight=rules["weight"].where(rules["weight"].isna(), 100 - rules["weight"]))

    as_captured, changed = (
        outcome(
            routes_differ,
            routes=routes,
            route_instances=held,
            virtual_service_rules=each,
            config=config,
            profile=profile,
        )
        for each in (rules, turned)
    )

    assert as_captured.findings == ()
    (finding,) = changed.findings
    assert finding.observed is not None
    assert finding.observed.value == "VirtualService:bank/menu"
    assert {place.item.partition(":")[0] for place in finding.evidence} == {
        "envoy.config_dump", "kubernetes.virtualservices.networking.istio.io",
    }  # fmt: skip
