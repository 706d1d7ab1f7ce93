"""Each incident on cases made by hand: supported, possible, refuted, undetermined."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.access import denied
from meshforensics.checks.certificates import authority_expired, leaf_expired, root_expired
from meshforensics.checks.routing import shadowed_route
from meshforensics.checks.sync import endpoint_gone, stale
from meshforensics.incidents import declared_incidents
from meshforensics.model import Finding, Hypothesis, Standing
from meshforensics.tables.denials import denials
from meshforensics.testing import frame, outcome
from tests.incidents.cases import NOON, calls, counted, judged, judged_beside, whole_mesh

SUPPORTED, POSSIBLE, REFUTED, UNDETERMINED = (
    Standing.SUPPORTED,
    Standing.POSSIBLE,
    Standing.REFUTED,
    Standing.UNDETERMINED,
)
MIB = 1024 * 1024
PODS = frame("pods", namespace=["shop"], pod=["pay-1"], ip=["10.244.1.9"], item=["kubernetes.pods:-@unknown"])


def _found(check: Check, **frames: pd.DataFrame) -> tuple[Finding, ...]:
    return outcome(check, at=NOON, window=timedelta(minutes=15), profile=None, **frames).findings


@pytest.mark.parametrize("incident", declared_incidents())
def test_where_nothing_was_captured_nothing_is_said(incident: str) -> None:
    said = judged(incident)

    assert said.status is UNDETERMINED
    assert said.confidence < 1


@pytest.mark.parametrize("incident", [each for each in declared_incidents() if each != "healthy"])
def test_a_whole_and_sound_mesh_supports_no_incident(incident: str) -> None:
    assert judged(incident, **whole_mesh()).status in {REFUTED, UNDETERMINED}


def test_a_whole_and_sound_mesh_is_healthy() -> None:
    assert judged("healthy", **whole_mesh()).status is SUPPORTED


@pytest.mark.parametrize("table", ["pods", "listener_instances", "certificates", "xds_sync", "memory"])
def test_health_lacks_nothing(table: str) -> None:
    mesh = {name: rows for name, rows in whole_mesh().items() if name != table}

    said = judged("healthy", **mesh)

    assert said.status is UNDETERMINED
    assert said.missing != ()


@pytest.mark.parametrize(("deleting", "status"), [(True, SUPPORTED), (False, UNDETERMINED)])
def test_a_pod_that_is_being_deleted_need_not_be_captured(deleting: bool, status: Standing) -> None:
    mesh = whole_mesh()
    third = frame("pods", namespace=["shop"], pod=["old-1"], phase=["Running"], injected=[True], deleting=[deleting],
                  item=["kubernetes.pods:-@unknown"])  # fmt: skip

    assert judged("healthy", **{**mesh, "pods": pd.concat([mesh["pods"], third])}).status is status


@pytest.mark.parametrize("container", ["linkerd-proxy", "ztunnel"])
def test_a_kind_of_proxy_that_is_not_judged_blocks_health(container: str) -> None:
    mesh = {**whole_mesh(), "containers": frame("containers", namespace=["shop"], pod=["a"], container=[container])}

    assert judged("healthy", **mesh).status is UNDETERMINED


def _mesh_of_linkerd() -> dict[str, pd.DataFrame]:
    """One proxy of Linkerd's and its control plane, of which everything was captured that there is."""
    one: dict[str, Any] = {"namespace": ["shop"], "pod": ["web-1"]}
    makers = '{"linkerd.io/control-plane-component":"identity"}'
    pods = frame("pods", namespace=["shop", "linkerd"], pod=["web-1", "identity-1"], phase=["Running"] * 2,
                 injected=[True, False], labels=["{}", makers], item=["kubernetes.pods:-@unknown"] * 2)  # fmt: skip
    kept = ["configmap:linkerd/linkerd-identity-trust-roots", "secret:linkerd/linkerd-identity-issuer"]
    empty = ("proxies", "xds_sync", "listener_instances", "memory", "calls", "access_log", "rejections", "log_coverage")
    return {
        **{name: frame(name) for name in empty},
        "pods": pods,
        "containers": frame("containers", **one, container=["linkerd-proxy"]),
        "certificates": frame("certificates", place=kept),
        "stats": frame("stats", **one, name=["identity_cert_expiration_timestamp_seconds"], value=[1893456000]),
        "usage": frame("usage", **one, container=["linkerd-proxy"]),
        "counted_calls": counted(of=one),
    }


def test_a_mesh_of_linkerd_that_was_captured_whole_is_healthy() -> None:
    said = judged("healthy", **_mesh_of_linkerd())

    assert said.status is SUPPORTED
    assert judged("healthy", **{**_mesh_of_linkerd(), "pods": whole_mesh()["pods"]}).status is UNDETERMINED


@pytest.mark.parametrize(("failed", "status"), [(0, SUPPORTED), (40, UNDETERMINED)])
def test_what_linkerd_answered_itself_is_in_no_log(failed: int, status: Standing) -> None:
    taken = pd.concat([counted(of={"namespace": ["shop"], "pod": ["web-1"]}), counted(failed).tail(1)])
    calls = taken.assign(aside=True, since=NOON - pd.Timedelta(hours=9))

    assert judged("healthy", **{**_mesh_of_linkerd(), "counted_calls": calls}).status is status


@pytest.mark.parametrize("lacks", ["certificates", "stats", "usage", "counted_calls"])
def test_what_linkerd_does_not_tell_is_not_health(lacks: str) -> None:
    said = judged("healthy", **{**_mesh_of_linkerd(), lacks: frame(lacks)})

    assert said.status is UNDETERMINED
    assert [each.kind for each in said.missing if each.kind.startswith(("envoy", "istiod"))] == []


@pytest.mark.parametrize("status", [SUPPORTED, POSSIBLE])
def test_another_hypothesis_refutes_health(status: Standing) -> None:
    other = Hypothesis(incident="ca-rotation", status=status, confidence=1.0)

    assert judged_beside(other, "healthy", **whole_mesh()).status is REFUTED


@pytest.mark.parametrize(
    ("incident", "family", "flags"),
    [
        ("no-healthy-upstream", "no-healthy-upstream", ("UH",)),
        ("circuit-breaker-overflow", "overflow", ("UO",)),
        ("upstream-connect-failure", "connect-failure", ("UF",)),
        ("upstream-timeout", "upstream-timeout", ("UT",)),
        ("upstream-timeout", "max-duration", ()),
        ("rate-limited", "rate-limited", ("RL",)),
        ("identity-mismatch", "tls-identity", ("UF",)),
        ("mtls-mode-conflict", "tls-to-plaintext", ("UF",)),
    ],
)
@pytest.mark.parametrize(
    ("count", "status"), [(12, SUPPORTED), (3, POSSIBLE), (0, REFUTED)], ids=["many", "few", "none"]
)
def test_an_incident_that_shows_in_calls(
    incident: str, family: str, flags: tuple[str, ...], count: int, status: Standing
) -> None:
    said = judged(incident, calls=calls(count, family, flags=flags), pods=PODS, xds_sync=frame("xds_sync"))

    assert said.status is status
    if status is SUPPORTED:
        assert said.impact is not None
        assert (said.impact.failed, said.impact.total, said.explained) == (12, 100, 12)


def test_a_limit_at_the_server_counts() -> None:
    log = frame(
        "access_log",
        namespace=["shop"] * 12,
        pod=["pay-1"] * 12,
        at=[NOON - timedelta(seconds=60)] * 12,
        direction=["inbound"] * 12,
        status=[429] * 12,
        flags=[("RL",)] * 12,
        details=["local_rate_limited"] * 12,
    )

    assert judged("rate-limited", calls=calls(0, ""), access_log=log).status is SUPPORTED


def test_a_gone_endpoint_makes_it_stale_and_not_a_connect_failure() -> None:
    failing = calls(12, "connect-failure")
    gone = _found(
        endpoint_gone,
        endpoints=frame(
            "endpoints", namespace=["shop"], pod=["web-1"], cluster=["outbound|80||pay.shop.svc.cluster.local"],
            address=["10.244.1.9:80"],
        ),
        pods=frame("pods", ip=["10.244.1.5"], phase=["Running"], item=["kubernetes.pods:-@unknown"]),
    )  # fmt: skip

    assert judged("upstream-connect-failure", *gone, calls=failing).status is REFUTED
    assert judged("config-stale", *gone, calls=failing, rejections=frame("rejections")).status is SUPPORTED
    there = judged("upstream-connect-failure", calls=failing, pods=PODS, xds_sync=frame("xds_sync"))
    assert there.status is SUPPORTED


def _sync(ago_s: int) -> pd.DataFrame:
    return frame(
        "xds_sync", namespace=["shop"], pod=["web-1"], istiod=["i"], type=["cds"], status=["STALE"],
        sent_at=[NOON - timedelta(seconds=ago_s)],
    )  # fmt: skip


@pytest.mark.parametrize(("ago_s", "status"), [(400, SUPPORTED), (100, POSSIBLE)], ids=["error", "warning"])
def test_config_stale(ago_s: int, status: Standing) -> None:
    found = _found(stale, xds_sync=_sync(ago_s))

    assert judged("config-stale", *found, xds_sync=_sync(ago_s), rejections=frame("rejections")).status is status


def _certificates(role: str, end: str) -> pd.DataFrame:
    return frame("certificates", namespace=["shop"], pod=["web-1"], role=[role], serial=["a1"],
                 not_after=[pd.Timestamp(end)])  # fmt: skip


def test_an_expired_leaf_under_a_valid_root() -> None:
    certificates = _certificates("leaf", "2026-01-01T11:00:00Z")
    found = _found(leaf_expired, certificates=certificates)

    said = judged("leaf-expired", *found, certificates=certificates, trust=frame("trust"))

    assert (said.status, said.subjects) == (SUPPORTED, ("shop/web-1",))


def test_an_expired_root_is_no_leaf_trouble() -> None:
    roots, leaves = _certificates("root", "2026-01-01T11:00:00Z"), _certificates("leaf", "2026-01-01T11:00:00Z")
    found = (*_found(root_expired, certificates=roots), *_found(leaf_expired, certificates=leaves))

    assert judged("root-expired", *found, trust=frame("trust")).status is SUPPORTED
    assert judged("leaf-expired", *found, certificates=leaves, trust=frame("trust")).status is REFUTED


@pytest.mark.parametrize(
    ("kept", "container", "status"),
    [
        pytest.param("configmap:linkerd/linkerd-identity-trust-roots", "linkerd-proxy", SUPPORTED, id="the-anchors"),
        pytest.param("secret:linkerd/linkerd-identity-issuer", "linkerd-proxy", SUPPORTED, id="the-issuer"),
        pytest.param("secret:linkerd/linkerd-identity-issuer", "istio-proxy", UNDETERMINED, id="left-over"),
        pytest.param("configmap:shop/istio-ca-root-cert", "linkerd-proxy", UNDETERMINED, id="of-istio"),
    ],
)
def test_what_linkerd_keeps_has_ended(kept: str, container: str, status: Standing) -> None:
    """Its proxies do not show what they hold; what they are given, and signed by, is told by objects."""
    kind, _, name = kept.partition(":")
    subject = f"{'Secret' if kind == 'secret' else 'ConfigMap'}:{name}"
    ended = frame("certificates", subject_id=[subject], place=[kept], role=["root"], serial=["a1"],
                  not_after=[NOON - pd.Timedelta(hours=1)])  # fmt: skip
    pods = frame("pods", namespace=["shop"], pod=["web-1"], phase=["Running"], injected=[True])
    containers = frame("containers", namespace=["shop"], pod=["web-1"], container=[container])

    said = judged("root-expired", *_found(authority_expired, certificates=ended), pods=pods, containers=containers)

    assert said.status is status
    assert said.subjects == ((subject,) if status is SUPPORTED else ())
    assert [each.subject for each in said.missing] == (["shop/web-1"] if container == "istio-proxy" else [])


def _growth(**values: object) -> pd.DataFrame:
    given = {
        "namespace": "shop",
        "pod": "web-1",
        "samples": 12,
        "span_s": 8000.0,
        "first_bytes": 10 * MIB,
        "last_bytes": 90 * MIB,
        "median_bytes": 50 * MIB,
        "peak_bytes": 90 * MIB,
        "fell_share": 0.0,
        "slope": 36.0 * MIB,
        "slope_low": 30.0 * MIB,
        "rises": True,
        "at": pd.Timestamp(NOON) - pd.Timedelta(hours=2),
        "with_requests": 0.1,
        "with_configuration": 0.0,
        "with_route_updates": 0.0,
        "with_series": 0.0,
        "evidence": (("a", ""), ("b", "")),
        **values,
    }
    return frame("growth", **{name: [value] for name, value in given.items()})


@pytest.mark.parametrize(
    ("values", "supported"),
    [
        pytest.param({}, "memory-leak", id="nothing-explains-it"),
        pytest.param({"with_requests": 0.95, "fell_share": 0.9}, "memory-traffic-growth", id="requests"),
        pytest.param({"with_connections": 0.95, "fell_share": 0.9}, "memory-traffic-growth", id="connections"),
        pytest.param({"with_connections": 0.95}, "memory-leak", id="connections-that-only-rise"),
        pytest.param({"with_configuration": 0.95}, "memory-config-growth", id="configuration"),
        pytest.param({"with_series": 0.95}, "memory-config-growth", id="series"),
        pytest.param(
            {"with_requests": 0.95, "unfinished_share": 0.9, "open_rises": True}, "memory-leak", id="requests-pile-up"
        ),
    ],
)
def test_growth_has_one_explanation(values: dict[str, object], supported: str) -> None:
    names = ("memory-leak", "memory-traffic-growth", "memory-config-growth")

    said = {name: judged(name, growth=_growth(**values)).status for name in names}

    assert said == {name: SUPPORTED if name == supported else REFUTED for name in names}


def test_a_short_series_is_at_most_possible() -> None:
    assert judged("memory-leak", growth=_growth(span_s=80.0)).status is POSSIBLE


@pytest.mark.parametrize(
    ("routes", "first_mib", "supported"),
    [
        pytest.param(20_000, 20, "memory-config-growth", id="more-than-it-had-at-first"),
        pytest.param(20_000, 60, "memory-leak", id="may-have-been-there-at-first"),
        pytest.param(5_000, 8, "memory-leak", id="too-few-for-what-grew"),
    ],
)
def test_routes_that_came_explain_growth_and_updates_alone_do_not(routes: int, first_mib: int, supported: str) -> None:
    grown = {"first_bytes": first_mib * MIB, "last_bytes": (first_mib + 80) * MIB, "with_route_updates": 0.99}
    frames = {
        "growth": _growth(**grown),
        "virtual_hosts": frame("virtual_hosts", resource=["r", "r"], routes=[routes - 1, 1]),
        "route_instances": frame("route_instances", namespace=["shop"], pod=["web-1"], resource=["r"]),
    }

    said = {name: judged(name, **frames).status for name in ("memory-leak", "memory-config-growth")}

    assert said == {name: SUPPORTED if name == supported else REFUTED for name in said}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param({}, "grew from 10.0 to 90.0 MiB live in 8000 s (12 samples, at least 30 MiB/h)", id="grows"),
        pytest.param(
            {"fell_share": 0.9, "last_bytes": 20 * MIB, "slope_low": -5.0 * MIB, "slope": 1.0, "with_requests": 0.95},
            "rose from 10.0 to 90.0 MiB live and came down to 20.0, in 8000 s (12 samples)",
            id="comes-down",
        ),
    ],
)
def test_growth_is_told_as_it_went(values: dict[str, object], said: str) -> None:
    incident = "memory-traffic-growth" if values else "memory-leak"

    assert said in judged(incident, growth=_growth(**values)).summary


def test_growth_without_drivers_is_possible() -> None:
    assert judged("memory-leak", growth=_growth(with_requests=None)).status is POSSIBLE


@pytest.mark.parametrize(
    ("values", "status"),
    [
        pytest.param({"with_requests": 0.95}, POSSIBLE, id="only-rises"),
        pytest.param({"with_requests": 0.95, "fell_share": 0.9, "rises": False}, SUPPORTED, id="up-and-down"),
        pytest.param({"with_requests": 0.95, "fell_share": 0.9, "span_s": 80.0}, POSSIBLE, id="short"),
        pytest.param(
            {"with_requests": 0.95, "fell_share": 0.9, "rises": False, "peak_bytes": 11 * MIB, "last_bytes": 10 * MIB},
            UNDETERMINED,
            id="a-small-swing",
        ),
        pytest.param({"with_requests": None, "fell_share": 0.9, "rises": False}, POSSIBLE, id="traffic-not-captured"),
        pytest.param({"with_requests": 0.1, "fell_share": 0.9, "rises": False}, UNDETERMINED, id="not-with-traffic"),
    ],
)
def test_memory_that_follows_traffic(values: dict[str, object], status: Standing) -> None:
    assert judged("memory-traffic-growth", growth=_growth(**values)).status is status


def test_traffic_is_no_cause_where_another_proxy_leaks() -> None:
    follows = _growth(pod="pay-1", with_requests=0.95, fell_share=0.9)
    growth = pd.concat([_growth(), follows], ignore_index=True)

    assert judged("memory-leak", growth=growth).subjects == ("shop/web-1",)
    assert judged("memory-traffic-growth", growth=growth).status is REFUTED


@pytest.mark.parametrize(
    ("values", "status"),
    [
        pytest.param({"slope_low": 1.0 * MIB}, POSSIBLE, id="the-interval-reaches-below-the-least"),
        pytest.param({"slope_low": -1.0 * MIB}, None, id="the-interval-reaches-below-zero"),
        pytest.param({"first_bytes": 10 * MIB, "last_bytes": 10 * MIB + 900_000}, None, id="noise-of-a-short-series"),
    ],
)
def test_growth_that_is_hardly_any(values: dict[str, object], status: Standing | None) -> None:
    assert judged("memory-leak", growth=_growth(**values)).status is (status or UNDETERMINED)


@pytest.mark.parametrize(
    ("heap", "live", "series", "status"),
    [
        pytest.param(11000 * MIB, 69 * MIB, {"rises": False}, SUPPORTED, id="retained"),
        pytest.param(11000 * MIB, 69 * MIB, {}, REFUTED, id="what-is-live-grows"),
        pytest.param(11000 * MIB, 69 * MIB, None, POSSIBLE, id="one-sample"),
        pytest.param(300 * MIB, 200 * MIB, {"rises": False}, REFUTED, id="half-is-live"),
        pytest.param(150 * MIB, 10 * MIB, {"rises": False}, REFUTED, id="a-small-heap"),
    ],
)
def test_memory_retention(heap: int, live: int, series: dict[str, object] | None, status: Standing) -> None:
    memory = frame("memory", namespace=["shop"] * 2, pod=["web-1", "pay-1"], heap_size=[heap, 1], allocated=[live, 1])
    growth = {} if series is None else {"growth": _growth(**series)}

    assert judged("memory-retention", **{**whole_mesh(), **growth, "memory": memory}).status is status


def _denials(count: int, *, served: bool) -> pd.DataFrame:
    total = count + served
    return frame(
        "access_log",
        namespace=["shop"] * total,
        pod=["pay-1"] * total,
        at=[NOON - timedelta(seconds=60)] * total,
        method=["GET"] * total,
        path=["/pay"] * total,
        status=[403] * count + [200] * served,
        details=["rbac_access_denied_matched_policy[none]"] * count + ["via_upstream"] * served,
        downstream_remote=["10.244.1.7:1234"] * total,
    )


@pytest.mark.parametrize(
    ("count", "served", "status"),
    [
        pytest.param(25, True, SUPPORTED, id="a-caller-that-is-otherwise-served"),
        pytest.param(25, False, POSSIBLE, id="the-policy-may-be-meant"),
        pytest.param(3, True, POSSIBLE, id="too-few"),
        pytest.param(0, True, REFUTED, id="none"),
    ],
)
def test_rbac_denied(count: int, served: bool, status: Standing) -> None:
    log = _denials(count, served=served)

    assert denials.derives is not None
    made = denials.derives(log)

    said = judged("rbac-denied", *_found(denied, denials=made), access_log=log, denials=made)

    assert said.status is status


def test_route_shadowed() -> None:
    routes = frame("routes", resource=["r"] * 2, route_config=["80"] * 2, virtual_host=["pay"] * 2, name=["a", "b"],
                   order=[0, 1], match=["prefix /", "prefix /api"], cluster=["c"] * 2, weight=[None] * 2)  # fmt: skip
    held = frame("route_instances", namespace=["shop"], pod=["web-1"], resource=["r"], state=["active"])
    found = _found(shadowed_route, routes=routes, route_instances=held)

    assert judged("route-shadowed", *found, route_instances=held).status is SUPPORTED


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        pytest.param(60, True, id="one-after-the-other"),
        pytest.param(1, False, id="two-revisions-side-by-side"),
    ],
)
def test_two_istiods_of_one_pass_are_no_upgrade(seconds: int, told: bool) -> None:
    times = [NOON - timedelta(seconds=seconds), NOON]
    versions = frame(
        "versions",
        component=["pilot"] * 2,
        version=["1.30.1", "1.30.2"],
        captured_at=times,
        item=["istiod.version:a"] * 2,
    )

    failing = calls(12, "no-cluster", flags=("NC",))
    said = judged("upgrade-503", **whole_mesh() | {"versions": versions, "calls": failing})

    texts = [ground.text for ground in (*said.for_, *said.against)]
    assert any("istiod 1.30.1 became istiod 1.30.2" in text for text in texts) is told


@pytest.mark.parametrize("answered", [["1.28.1", "1.31.0"], ["1.31.0", "1.28.1"]])
def test_of_two_istiods_of_one_pass_the_newer_is_what_proxies_are_held_against(answered: list[str]) -> None:
    versions = frame(
        "versions",
        component=["pilot", "pilot", "proxy"],
        version=[*answered, "1.28.1"],
        captured_at=[NOON - timedelta(seconds=1), NOON, NOON],
        item=["istiod.version:a"] * 3,
    )

    said = judged("upgrade-503", **whole_mesh() | {"versions": versions, "calls": calls(12, "no-cluster")})

    assert "proxies 1.28.1 became istiod 1.31.0" in [ground.text for ground in (*said.for_, *said.against)]


def test_versions_that_differ_are_no_incident_by_themselves() -> None:
    skewed = frame("versions", component=["pilot", "proxy"], version=["1.31.0", "1.29.2"], captured_at=[NOON] * 2)
    mesh = {name: rows for name, rows in whole_mesh().items() if name not in {"calls", "access_log"}}

    assert judged("upgrade-503", **mesh | {"versions": skewed}).status is UNDETERMINED
