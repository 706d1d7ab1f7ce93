"""The far side of failed calls: refused connections, names that are not accepted, objects that set TLS."""

import pandas as pd
import pytest

from meshforensics.incidents._peers import accepts
from meshforensics.model import Standing
from meshforensics.testing import frame
from tests.incidents.cases import NOON, calls, judged

SERVER = "10.244.1.9"
CALLER = "10.244.1.7"
UNKNOWN_ALERT = "TLS_error:|268436502:SSL_routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_UNKNOWN:TLS_error_end"


def _proxies(role: str = "sidecar") -> pd.DataFrame:
    return frame("proxies", namespace=["shop"] * 2, pod=["web-1", "pay-1"], ip=[CALLER, SERVER], role=["sidecar", role])


def _refusals(count: int, remote: str = CALLER, *, pod: str = "pay-1") -> pd.DataFrame:
    """Lines of a server whose listener has no filter chain for a connection."""
    return frame(
        "access_log",
        namespace=["shop"] * count,
        pod=[pod] * count,
        at=[pd.Timestamp(NOON) - pd.Timedelta(seconds=60)] * count,
        status=[0] * count,
        flags=[("NR",)] * count,
        details=["filter_chain_not_found"] * count,
        downstream_local=[f"{SERVER}:80"] * count,
        downstream_remote=[f"{remote}:4000{number % 10}" for number in range(count)],
    )


@pytest.mark.parametrize("family", ["upstream-reset", "tls-handshake-cut", "connect-failure"])
def test_a_reset_is_a_mode_conflict_where_the_server_found_no_filter_chain(family: str) -> None:
    said = judged("mtls-mode-conflict", proxies=_proxies(), calls=calls(20, family), access_log=_refusals(20))

    assert said.status is Standing.SUPPORTED
    assert said.subjects == ("shop/web-1", "pay.shop.svc.cluster.local", "shop/pay-1")


@pytest.mark.parametrize(
    ("log", "status"),
    [
        pytest.param(_refusals(20, "10.244.1.8"), Standing.UNDETERMINED, id="by-an-address-that-is-no-pod"),
        pytest.param(_refusals(20, CALLER), Standing.SUPPORTED, id="by-a-pod"),
        pytest.param(_refusals(3, CALLER), Standing.POSSIBLE, id="too-few"),
    ],
)
def test_refusals_that_no_caller_logged(log: pd.DataFrame, status: Standing) -> None:
    assert judged("mtls-mode-conflict", proxies=_proxies(), access_log=log).status is status


def test_an_unknown_server_name_at_a_gateway_is_no_mode_conflict() -> None:
    said = judged("mtls-mode-conflict", proxies=_proxies("router"), access_log=_refusals(20))

    assert said.status is Standing.UNDETERMINED


@pytest.mark.parametrize(
    ("caller_tls", "server_mode", "status"),
    [
        pytest.param(False, "mutual", Standing.SUPPORTED, id="plaintext-to-strict"),
        pytest.param(True, "mutual", Standing.REFUTED, id="both-tls"),
        pytest.param(False, "none", Standing.REFUTED, id="both-plaintext"),
    ],
)
def test_a_reset_without_the_servers_log_is_judged_by_both_configurations(
    caller_tls: bool, server_mode: str, status: Standing
) -> None:
    name = "outbound|80||pay.shop.svc.cluster.local"
    failing = calls(20, "upstream-reset").assign(cluster=name)

    said = judged(
        "mtls-mode-conflict",
        proxies=_proxies(),
        calls=failing,
        clusters=frame("clusters", resource=["c"], name=[name], direction=["outbound"], tls=[caller_tls]),
        cluster_instances=frame("cluster_instances", namespace=["shop"], pod=["web-1"], resource=["c"],
                                state=["active"]),
        listeners=frame("listeners", resource=["l"], name=["virtualInbound"], direction=["INBOUND"]),
        filter_chains=frame("filter_chains", resource=["l"] * 2, destination_port=[80, 15006],
                            tls_mode=[server_mode, "none"]),
        listener_instances=frame("listener_instances", namespace=["shop"], pod=["pay-1"], resource=["l"],
                                 state=["active"]),
    )  # fmt: skip

    assert said.status is status


@pytest.mark.parametrize(
    ("accepted", "status"),
    [
        pytest.param(("prefix:spiffe://old/",), Standing.SUPPORTED, id="another-trust-domain"),
        pytest.param(("prefix:spiffe://new/",), Standing.REFUTED, id="accepted"),
        pytest.param((), Standing.REFUTED, id="any-name"),
    ],
)
def test_an_alert_that_says_nothing_is_a_refused_name_where_the_server_does_not_accept_it(
    accepted: tuple[str, ...], status: Standing
) -> None:
    failing = calls(20, "tls-verify")
    failing["failure_reason"] = UNKNOWN_ALERT

    said = judged(
        "identity-mismatch",
        proxies=_proxies(),
        calls=failing,
        certificates=frame("certificates", namespace=["shop"], pod=["web-1"], role=["leaf"],
                           san=[("spiffe://new/ns/shop/sa/web",)]),
        filter_chains=frame("filter_chains", resource=["l"], tls_mode=["mutual"], sans=[accepted]),
        listener_instances=frame("listener_instances", namespace=["shop"], pod=["pay-1"], resource=["l"],
                                 state=["active"]),
    )  # fmt: skip

    assert said.status is status


def test_a_mismatch_names_the_server_its_name_and_the_rule_that_sets_what_is_accepted() -> None:
    name = "outbound|80||pay.shop.svc.cluster.local"
    spec = '{"host":"pay","trafficPolicy":{"tls":{"mode":"ISTIO_MUTUAL","subjectAltNames":["spiffe://old/sa/pay"]}}}'

    said = judged(
        "identity-mismatch",
        proxies=_proxies(),
        calls=calls(20, "tls-identity").assign(cluster=name),
        certificates=frame("certificates", namespace=["shop"], pod=["pay-1"], role=["leaf"], san=[("spiffe://new/sa",)]),
        clusters=frame("clusters", resource=["c"], name=[name], direction=["outbound"], sans=[("spiffe://old/sa/pay",)]),
        cluster_instances=frame("cluster_instances", namespace=["shop"], pod=["web-1"], resource=["c"],
                                state=["active"]),
        config=frame("config", kind=["DestinationRule"] * 2, namespace=["shop"] * 2, spec=[spec, '{"host":"other"}'],
                     object=["DestinationRule:shop/pay", "DestinationRule:shop/other"]),
    )  # fmt: skip

    assert said.subjects == (
        "shop/web-1",
        "pay.shop.svc.cluster.local",
        "shop/pay-1",
        "DestinationRule:shop/pay",
        "spiffe://new/sa",
    )
    assert "shop/pay-1 shows spiffe://new/sa, and shop/web-1 accepts spiffe://old/sa/pay" in said.summary


@pytest.mark.parametrize(
    ("matcher", "accepted"),
    [
        ("spiffe://a/ns/x/sa/y", True),
        ("spiffe://a/ns/x", False),
        ("prefix:spiffe://a/", True),
        ("suffix:/sa/y", True),
        ("contains:/ns/x/", True),
        ("regex:spiffe://[ab]/.*", True),
        ("regex:spiffe://b/.*", False),
        ("prefix:spiffe://b/", False),
    ],
)
def test_accepted_names(matcher: str, accepted: bool) -> None:
    assert accepts([matcher], ["spiffe://a/ns/x/sa/y"]) is accepted
