"""What counters and flags tell of lines: of the proxies that logged them, and of no others."""

import pandas as pd
import pytest

from meshforensics.checks._beside import NOTHING, TELLS
from meshforensics.formats.signatures import SIGNATURES
from tests.checks.signature_lines import CLUSTER, NOON, counts, frame, lines_of, own, said_of

HASH = "cluster.x.ssl.fail_verify_cert_hash"


@pytest.mark.parametrize(
    ("stats", "said"),
    [
        pytest.param(
            counts(HASH, 7, cluster=CLUSTER),
            "confirmed: `ssl.fail_verify_cert_hash` is 7 since start in 1 of 1 proxy that logged it",
            id="counted",
        ),
        pytest.param(
            counts("envoy_cluster_ssl_fail_verify_cert_hash", 7, cluster=CLUSTER), "confirmed: `ssl.", id="of-a-scrape"
        ),
        pytest.param(counts(HASH, 7, cluster="other"), NOTHING, id="of-another-cluster"),
        pytest.param(counts(HASH, 7, pod="web-2"), NOTHING, id="of-a-proxy-that-did-not-log-it"),
        pytest.param(counts("x.fail_verify_cert_hash_of_others", 7), NOTHING, id="another-counter"),
        pytest.param(
            counts(HASH, 0, cluster=CLUSTER),
            "not counted by who logged it: `ssl.fail_verify_cert_hash` stood at 0 at the only proxy",
            id="zero",
        ),
        pytest.param(counts(HASH, 0, cluster=CLUSTER, uptime_s=30), NOTHING, id="started-since"),
        pytest.param(counts(HASH), NOTHING, id="not-there-is-not-zero"),
    ],
)
def test_a_counter_of_who_logged_it(stats: pd.DataFrame, said: str) -> None:
    assert said_of("tls-pinned", stats=stats).startswith(said)


def test_a_page_from_before_the_lines_tells_nothing_of_them() -> None:
    early = counts(HASH, 0, cluster=CLUSTER).assign(captured_at=NOON - pd.Timedelta(minutes=5))

    assert said_of("tls-pinned", stats=early) == NOTHING


def test_two_forms_of_one_page_are_one_count() -> None:
    scrape = counts("envoy_cluster_ssl_fail_verify_cert_hash", 7, cluster=CLUSTER)
    page = counts(HASH, 7, cluster=CLUSTER).assign(item="envoy.stats:shop/web-1@noon")

    assert "is 7 since start" in said_of("tls-pinned", stats=pd.concat([scrape, page], ignore_index=True))


@pytest.mark.parametrize(
    ("family", "name", "labels", "value", "said"),
    [
        ("rbac-denied", "envoy_http_inbound_80__rbac", '{"authz_enforce_result": "denied"}', 3, "`rbac` is 3"),
        ("rbac-denied", "envoy_http_inbound_80__rbac", '{"authz_dry_run_result": "denied"}', 3, NOTHING),
        ("rbac-denied", "http.in.rbac.istio_dry_run_deny_.shadow_denied", "{}", 3, NOTHING),
        ("gateway-loop", "inbound_http_errors_total", '{"error":"gateway loop"}', 3, "`http_errors_total` is 3"),
        ("gateway-loop", "inbound_http_errors_total", '{"error":"failfast"}', 3, NOTHING),
    ],
)
def test_a_counter_whose_label_says_which(family: str, name: str, labels: str, value: int, said: str) -> None:
    assert said in said_of(family, stats=counts(name, value, labels=labels))


def test_a_verdict_of_the_peer_is_counted_as_an_alert() -> None:
    stats = counts("cluster.x.ssl.connection_error", 4, cluster=CLUSTER)

    peer = lines_of("tls-unknown-root", who="peer", cluster=CLUSTER, signature=["T9"] * 3)
    assert "`ssl.connection_error` is 4" in said_of("tls-unknown-root", peer, stats=stats)
    assert said_of("tls-unknown-root", lines_of("tls-unknown-root"), stats=stats) == NOTHING


def test_a_counter_of_some_signatures_says_nothing_of_others() -> None:
    stats = counts("http.x.no_route", 4)

    assert "`no_route` is 4" in said_of("no-route", lines_of("no-route", signature=["R14"] * 3), stats=stats)
    assert said_of("no-route", lines_of("no-route", signature=["R15"] * 3), stats=stats) == NOTHING


def test_what_istiod_counts() -> None:
    stats = frame(
        "stats",
        namespace=["istio-system"] * 2,
        pod=["istiod-1"] * 2,
        name=["pilot_xds_pushes"] * 2,
        labels=['{"type":"cds"}', '{"type":"cds_senderr"}'],
        real=[900.0, 2.0],
        item=["istiod.metrics:istio-system/istiod-1@noon"] * 2,
    )

    assert said_of("push-failed", stats=stats) == "confirmed: istiod's `pilot_xds_pushes` is 2 since start"


def _log(*status: int, flags: tuple[str, ...] = (), item: str = "test:-@unknown") -> pd.DataFrame:
    count = len(status)
    return own(
        "access_log", at=[NOON - pd.Timedelta(seconds=60)] * count, status=list(status), flags=[flags] * count,
        item=[item] * count,
    )  # fmt: skip


def test_calls_that_were_served_after_all() -> None:
    said = said_of("tls-pinned", access_log=_log(200, 503, 503))

    assert said == "1 was served after all, of 3 calls that were logged with it"


@pytest.mark.parametrize(
    ("log", "said"),
    [
        pytest.param(_log(503, 503, flags=("UF",)), NOTHING, id="as-the-lines-say"),
        pytest.param(_log(200, flags=("UF",)), NOTHING, id="flagged-whatever-its-status"),
        pytest.param(
            _log(503, flags=("UF",), item="log.b"), "1 call has flag UF in the access logs", id="of-another-log"
        ),
        pytest.param(_log(503, flags=("UH",), item="log.b"), NOTHING, id="of-another-log-with-another-flag"),
    ],
)
def test_flags_of_calls(log: pd.DataFrame, said: str) -> None:
    assert said_of("tls-pinned", access_log=log).startswith(said)


def test_what_a_counter_confirms_has_been_whatever_was_captured() -> None:
    hosts = own("endpoints", cluster=[CLUSTER], health=["HEALTHY"])

    said = said_of("no-healthy-upstream", lines_of("no-healthy-upstream", cluster=CLUSTER, signature=["S4"] * 3),
                   endpoints=hosts, stats=counts("cluster.x.upstream_cx_none_healthy", 5, cluster=CLUSTER))  # fmt: skip

    assert said.startswith("confirmed: `upstream_cx_none_healthy` is 5")
    assert said.endswith(f"; over as of the capture: 1 of 1 host of {CLUSTER} is healthy")


def test_limits_that_were_lifted_since_do_not_refute_what_was_counted() -> None:
    none = [2**32 - 1]
    clusters = frame("clusters", name=[CLUSTER], max_requests=none, max_connections=none, max_pending_requests=none)

    said = said_of("overflow", clusters=clusters, stats=counts("cluster.x.upstream_cx_overflow", 5, cluster=CLUSTER))

    assert said.startswith("confirmed: `upstream_cx_overflow` is 5")
    assert said.endswith("; over as of the capture: its limits are as good as none")


def test_of_every_family_something_tells() -> None:
    assert {each.family for each in SIGNATURES} == set(TELLS)


def test_without_any_evidence_nothing_is_said() -> None:
    assert {family: said_of(family) for family in TELLS} == dict.fromkeys(TELLS, NOTHING)
