"""Names in certificates: what cannot be known refuses nobody."""

import pytest

from meshforensics.incidents._names import Refused, in_words
from meshforensics.model import Standing
from meshforensics.testing import frame
from tests.incidents.cases import calls, judged


def test_a_refusal_says_who_shows_what_and_who_accepts_what() -> None:
    said = in_words(Refused(("shop", "pay-1"), ("spiffe://b/pay",), ("shop", "web-1"), ("spiffe://a/pay",)))

    assert said == "shop/pay-1 shows spiffe://b/pay, and shop/web-1 accepts spiffe://a/pay"


def test_an_alert_whose_names_were_not_captured_is_no_mismatch() -> None:
    failing = calls(20, "tls-verify")
    failing["failure_reason"] = "SSLV3_ALERT_CERTIFICATE_UNKNOWN"

    assert judged("identity-mismatch", calls=failing, proxies=frame("proxies")).status is Standing.REFUTED


@pytest.mark.parametrize(
    ("spec", "shown", "said"),
    [
        pytest.param('{"host":"pay","tls":{"subjectAltNames":["x"]}}', "spiffe://a/ns/shop/sa/pay",
                     "Put the subjectAltNames of DestinationRule:shop/pay right", id="an-object-says-which"),
        pytest.param("{}", "spiffe://old/ns/shop/sa/pay", "Find why shop/pay-1 is of trust domain old;", id="domain"),
        pytest.param("{}", "spiffe://a/ns/shop/sa/pay", "Compare service account and trust domain", id="account"),
    ],
)  # fmt: skip
def test_what_to_do_goes_by_what_differs(spec: str, shown: str, said: str) -> None:
    cluster = "outbound|80||pay.shop.svc.cluster.local"
    failing = calls(20, "tls-identity").assign(cluster=cluster, failure_reason="SAN matcher")
    frames = {
        "proxies": frame("proxies", namespace=["shop"], pod=["pay-1"], ip=["10.244.1.9"]),
        "certificates": frame("certificates", namespace=["shop"], pod=["pay-1"], role=["leaf"], san=[(shown,)],
                              place=["sds:default"], fingerprint=["f"]),
        "config": frame("config", namespace=["shop"], kind=["DestinationRule"], object=["DestinationRule:shop/pay"],
                        spec=[spec]),
        "clusters": frame("clusters", name=[cluster], resource=["r"], sans=[("spiffe://a/ns/shop/sa/other",)]),
        "cluster_instances": frame("cluster_instances", namespace=["shop"], pod=["web-1"], name=[cluster],
                                   resource=["r"], state=["active"]),
    }  # fmt: skip

    assert judged("identity-mismatch", calls=failing, **frames).next.startswith(said)
