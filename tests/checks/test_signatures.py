"""Known error texts inside the window: how many, how fast, and what else tells."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks._beside import NOTHING
from meshforensics.checks.signatures import delivery, roots, seen, tls
from meshforensics.formats.signatures import SIGNATURES
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")


def _lines(
    family: str, count: int = 3, ago_s: int = 60, who: str = "local", cluster: str | None = None, pod: str = "web-1"
) -> pd.DataFrame:
    return frame(
        "signatures",
        namespace=["shop"] * count,
        pod=[pod] * count,
        at=[NOON - pd.Timedelta(seconds=ago_s + number) for number in range(count)],
        family=[family] * count,
        who=[who] * count,
        cause=["what it means"] * count,
        text=[f"line {number}" for number in range(count)],
        cluster=[cluster] * count,
    )


@pytest.mark.parametrize(
    ("check", "lines", "found"),
    [
        pytest.param(tls, _lines("tls-unknown-root"), [3], id="tls"),
        pytest.param(tls, _lines("tls-unknown-root", ago_s=901), [], id="tls-before-the-window"),
        pytest.param(tls, _lines("no-cluster"), [], id="not-about-tls"),
        pytest.param(delivery, _lines("config-rejected"), [3], id="delivery"),
        pytest.param(delivery, _lines("tls-verify"), [], id="not-about-delivery"),
        pytest.param(roots, _lines("root-refused"), [3], id="roots"),
        pytest.param(roots, _lines("signing"), [], id="not-about-roots"),
        pytest.param(seen, _lines("no-cluster"), [3], id="any-other"),
        pytest.param(seen, _lines("tls-verify"), [], id="one-that-another-check-has"),
        pytest.param(seen, _lines("no-cluster", ago_s=901), [], id="before-the-window"),
        pytest.param(seen, _lines("xds-stream-closed"), [], id="streams-end-now-and-then"),
        pytest.param(seen, _lines("xds-stream-closed", 4), [4], id="streams-end-all-the-time"),
    ],
)
def test_lines_of_a_family(check: Check, lines: pd.DataFrame, found: list[int]) -> None:
    said = outcome(check, at=NOON, signatures=lines)

    assert [each.evidence_total for each in said.findings] == found


def test_every_family_of_the_catalogue_is_told_by_one_check() -> None:
    families = sorted({each.family for each in SIGNATURES})
    lines = pd.concat([_lines(family, 4) for family in families], ignore_index=True)

    told = [
        family
        for check in (tls, delivery, roots, seen)
        for finding in outcome(check, at=NOON, signatures=lines).findings
        for family in families
        if f"({family})" in finding.detail or f"({family}," in finding.detail
    ]

    assert sorted(told) == families


def test_who_judged_is_told_apart() -> None:
    both = pd.concat([_lines("tls-unknown-root"), _lines("tls-unknown-root", who="peer")], ignore_index=True)

    assert len(outcome(tls, at=NOON, signatures=both).findings) == 2


def _detail(check: Check, lines: pd.DataFrame, **frames: Any) -> str:
    (finding,) = outcome(check, at=NOON, signatures=lines, **frames).findings
    return finding.detail


def test_it_says_when_and_shows_a_line() -> None:
    said = _detail(seen, _lines("no-cluster"))

    assert said.startswith("3 lines from 2026-01-01T11:58:58Z to 2026-01-01T11:59:00Z, ")
    assert said.endswith("e.g. line 2")


@pytest.mark.parametrize(
    ("lines", "reaches_s", "trend"),
    [
        pytest.param([_lines("dns", 30)], 3600, "2 a minute, 0 before", id="begins-in-the-window"),
        pytest.param(
            [_lines("dns", 30), _lines("dns", 90, 1000)], 3600, "2 a minute, 2 before", id="goes-on-as-before"
        ),
        pytest.param(
            [_lines("dns", 30)],
            900,
            "4 a minute in the second half of the log, 0 in the first",
            id="no-log-reaches-back",
        ),
        pytest.param(
            [_lines("dns", 60, 0)],
            60,
            "62 a minute in the second half of the log, 58 in the first",
            id="the-log-is-short",
        ),
    ],
)
def test_how_the_rate_changed(lines: list[pd.DataFrame], reaches_s: int, trend: str) -> None:
    coverage = frame("log_coverage", first_at=[NOON - pd.Timedelta(seconds=reaches_s)])

    assert f", {trend}: " in _detail(seen, pd.concat(lines, ignore_index=True), log_coverage=coverage)


def _leaf(end: pd.Timestamp) -> dict[str, pd.DataFrame]:
    return {"certificates": frame("certificates", role=["leaf"], not_after=[end], serial=["a"])}


CLUSTER = "outbound|80|v9|pay.shop.svc.cluster.local"


def _refused(*current: bool | None) -> dict[str, pd.DataFrame]:
    count = len(current)
    return {"rejections": frame("rejections", resource_name=["0.0.0.0_80"] * count, current=list(current))}


def _accepted(*names: str) -> dict[str, pd.DataFrame]:
    """What a cluster accepts, where the only leaf shows ``spiffe://td/ns/a/sa/pay``."""
    return {
        "clusters": frame("clusters", name=[CLUSTER], sans=[names]),
        "certificates": frame("certificates", role=["leaf"], san=[("spiffe://td/ns/a/sa/pay",)]),
    }


LATE, FAR = NOON - pd.Timedelta(days=1), NOON + pd.Timedelta(days=1)


def _begun(seconds: int) -> pd.DataFrame:
    return frame("certificates", serial=["1"], not_before=[NOON + pd.Timedelta(seconds=seconds)])


def _connected(*failed: int | None) -> pd.DataFrame:
    count = len(failed)
    addresses = [f"10.0.0.{number}:80" for number in range(count)]
    return frame("endpoints", cluster=[CLUSTER] * count, address=addresses, cx_connect_fail=list(failed))


def _filter(namespace: str, spec: str) -> pd.DataFrame:
    return frame(
        "config", namespace=[namespace], kind=["EnvoyFilter"], object=[f"EnvoyFilter:{namespace}/one"], spec=[spec]
    )


def _sidecar(state: str, ready: bool) -> pd.DataFrame:
    return frame("containers", container=["istio-proxy"], state=[state], ready=[ready])


@pytest.mark.parametrize(
    ("check", "family", "frames", "said"),
    [
        pytest.param(tls, "tls-unknown-root", {}, NOTHING, id="nothing-captured"),
        pytest.param(
            tls, "tls-unknown-root", {"tls_pairs": frame("tls_pairs", verified=[False, True])},
            "confirmed: 1 of 2 pairs", id="pairs-do-not-verify",
        ),
        pytest.param(
            tls, "tls-unknown-root", {"tls_pairs": frame("tls_pairs", verified=[True, True])},
            "refuted as of the capture: all 2 pairs", id="pairs-verify",
        ),
        pytest.param(
            tls, "tls-unknown-root", {"tls_pairs": frame("tls_pairs", verified=[None])}, NOTHING, id="pairs-unknown"
        ),
        pytest.param(
            tls, "tls-verify", {"tls_pairs": frame("tls_pairs", verified=[True])},
            "all pairs verify by key: look at names", id="a-text-that-does-not-say-why",
        ),
        pytest.param(
            tls, "tls-verify", {"tls_pairs": frame("tls_pairs", verified=[False])}, "confirmed: 1 of 1", id="by-key"
        ),
        pytest.param(
            tls, "tls-identity", _accepted("spiffe://td/ns/a/sa/old"),
            "confirmed: spiffe://td/ns/a/sa/old is accepted, which no captured leaf shows", id="a-name-nobody-shows",
        ),
        pytest.param(
            tls, "tls-identity", _accepted("spiffe://td/ns/a/sa/pay"), NOTHING, id="a-name-that-is-shown"
        ),
        pytest.param(tls, "tls-identity", _accepted("prefix:spiffe://other/"), NOTHING, id="a-pattern"),
        pytest.param(
            tls, "tls-leaf-expired", _leaf(LATE),
            "confirmed: 1 such certificate had ended, a first", id="a-leaf-ended",
        ),
        pytest.param(
            tls, "tls-leaf-expired", _leaf(FAR),
            "refuted as of the capture: none of 1", id="no-leaf-ended",
        ),
        pytest.param(
            tls, "tls-root-expired", _leaf(LATE),
            NOTHING, id="no-root-captured",
        ),
        pytest.param(
            delivery, "config-rejected", _refused(True, False),
            "confirmed: 1 rejection stands, among 2 of 0.0.0.0_80", id="rejected",
        ),
        pytest.param(
            delivery, "config-rejected", _refused(False, None),
            "2 rejections of 0.0.0.0_80 are told, and not whether they stand", id="whether-it-stands-is-not-told",
        ),
        pytest.param(
            delivery, "config-rejected", _refused(False),
            "over as of the capture: what was sent after 1 rejection of", id="accepted-since",
        ),
        pytest.param(
            roots, "root-changed", {"trust": frame("trust", root=["a", "b"])}, "confirmed: 2 roots", id="two-roots"
        ),
        pytest.param(
            roots, "root-changed", {"trust": frame("trust", root=["a", "a"])}, "hold one root", id="one-root"
        ),
        pytest.param(
            seen, "rbac-denied",
            {"denials": frame("denials", objects=[("AP:a/b",)]), "config": frame("config", object=["AP:a/b"])},
            "confirmed: AP:a/b stands behind", id="the-policy-is-there",
        ),
        pytest.param(
            seen, "rbac-denied",
            {"denials": frame("denials", objects=[("AP:a/b",)]), "config": frame("config", object=["AP:a/c"])},
            "AP:a/b is named and was not among", id="the-policy-is-gone",
        ),
        pytest.param(
            seen, "no-cluster", {"clusters": frame("clusters", name=["other"])}, f"confirmed: no proxy has {CLUSTER}",
            id="no-such-cluster",
        ),
        pytest.param(
            seen, "no-cluster", {"clusters": frame("clusters", name=[CLUSTER])}, "is there by now", id="by-now-there"
        ),
        pytest.param(
            seen, "no-cluster",
            {"clusters": frame("clusters", name=["b"]), "routes": frame("routes", cluster=["a"], route_config=["80"])},
            "confirmed: no proxy has", id="by-the-log",
        ),
        pytest.param(
            seen, "no-healthy-upstream", {"endpoints": frame("endpoints", cluster=[CLUSTER], health=["UNHEALTHY"])},
            "has 1 host, none of them healthy", id="no-healthy-host",
        ),
        pytest.param(
            seen, "no-healthy-upstream", {"endpoints": frame("endpoints", cluster=[CLUSTER], health=["HEALTHY"])},
            "refuted as of the capture: 1 of 1 host of", id="healthy-by-now",
        ),
        pytest.param(
            seen, "overflow", {"clusters": frame("clusters", name=[CLUSTER], max_requests=[2])}, "has a limit of 2",
            id="a-limit",
        ),
        pytest.param(
            seen, "overflow", {"clusters": frame("clusters", name=[CLUSTER], max_requests=[2**32 - 1])},
            "as good as none", id="no-limit",
        ),
        pytest.param(
            seen, "out-of-memory", {"containers": frame("containers", last_reason=["OOMKilled"])},
            "confirmed: 1 container", id="killed",
        ),
        pytest.param(
            seen, "out-of-memory", {"containers": frame("containers", last_reason=["Completed"])}, "no container ended",
            id="not-killed",
        ),
        pytest.param(
            tls, "tls-not-yet-valid", {"certificates": _begun(60)}, "1 certificate had not begun", id="early",
        ),
        pytest.param(
            tls, "tls-not-yet-valid", {"certificates": _begun(-60)}, "the only certificate had begun", id="begun",
        ),
        pytest.param(
            seen, "upstream-timeout", {"routes": frame("routes", cluster=[CLUSTER] * 2, timeout_s=[9.0, 0.5])},
            "has a timeout of 0.5 s", id="timeout",
        ),
        pytest.param(
            seen, "upstream-timeout", {"routes": frame("routes", cluster=[CLUSTER], timeout_s=[0.0])}, NOTHING,
            id="no-timeout-of-the-route",
        ),
        pytest.param(seen, "connect-failure", {"endpoints": _connected(0, 3)}, "at 1 of 2 hosts", id="unconnected"),
        pytest.param(seen, "connect-failure", {"endpoints": _connected(0, 0)}, "no proxy counts", id="connected"),
        pytest.param(seen, "connect-failure", {"endpoints": _connected(None)}, NOTHING, id="not-counted"),
        pytest.param(
            seen, "rate-limited", {"config": _filter("shop", "envoy.filters.http.local_ratelimit")},
            "confirmed: EnvoyFilter:shop/one sets a limit", id="limit",
        ),
        pytest.param(
            seen, "rate-limited", {"config": _filter("other", "envoy.filters.http.local_ratelimit")}, NOTHING,
            id="limit-of-others",
        ),
        pytest.param(seen, "rate-limited", {"config": _filter("shop", "envoy.lua")}, NOTHING, id="another-filter"),
        pytest.param(seen, "not-ready", {"containers": _sidecar("running", False)}, "1 of 1 sidecar is", id="unready"),
        pytest.param(seen, "not-ready", {"containers": _sidecar("running", True)}, "over as of", id="ready"),
        pytest.param(seen, "not-ready", {"containers": _sidecar("terminated", False)}, NOTHING, id="a-job"),
    ],
)  # fmt: skip
def test_what_else_confirms_or_refutes_it(
    check: Check, family: str, frames: dict[str, pd.DataFrame], said: str
) -> None:
    assert said in _detail(check, _lines(family, cluster=CLUSTER), **frames)


def test_what_is_told_of_all_other_families_is_a_fact() -> None:
    (finding,) = outcome(seen, at=NOON, signatures=_lines("no-cluster")).findings

    assert finding.severity is Severity.INFO


@pytest.mark.parametrize("check", [tls, delivery, roots, seen])
def test_without_logs_it_is_not_evaluated(check: Check) -> None:
    assert outcome(check, at=NOON).not_evaluated == "not captured: signatures"


@pytest.mark.parametrize(("known", "said"), [("b", "route configuration 80 names a,"), ("a", NOTHING)])
def test_a_missing_cluster_that_no_line_names_is_looked_for_in_routes(known: str, said: str) -> None:
    clusters, routes = frame("clusters", name=[known]), frame("routes", cluster=["a"], route_config=["80"])

    assert said in _detail(seen, _lines("no-cluster", cluster="-"), clusters=clusters, routes=routes)
