"""Names in certificates: what cannot be known refuses nobody."""

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
