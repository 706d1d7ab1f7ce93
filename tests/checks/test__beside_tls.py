"""What certificates and hosts tell of errors of TLS."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks._beside import NOTHING
from tests.checks.signature_lines import CLUSTER, FAR, LATE, NOON, behind, frame, lines_of, own, said_of


def _pairs(*verified: bool | None, pod: str = "web-1", server: str = "pay-1") -> pd.DataFrame:
    count = len(verified)
    return frame(
        "tls_pairs", namespace=["shop"] * count, pod=[pod] * count, server_namespace=["shop"] * count,
        server_pod=[server] * count, verified=list(verified),
    )  # fmt: skip


def _held(pod: str = "pay-1", role: str = "leaf", **columns: list[Any]) -> pd.DataFrame:
    return frame(
        "certificates", namespace=["shop"], pod=[pod], role=[role], serial=["a"], place=["sds:default"], **columns
    )


@pytest.mark.parametrize(
    ("family", "frames", "said"),
    [
        pytest.param(
            "tls-unknown-root",
            {"tls_pairs": _pairs(False, True)},
            "confirmed: 1 of 2 pairs that may call each other does not verify, by key",
            id="pairs-do-not-verify",
        ),
        pytest.param(
            "tls-unknown-root",
            {"tls_pairs": _pairs(True, True)},
            "refuted as of the capture: all 2 pairs",
            id="pairs-verify",
        ),
        pytest.param("tls-unknown-root", {"tls_pairs": _pairs(None)}, NOTHING, id="pairs-unknown"),
        pytest.param("tls-unknown-root", {"tls_pairs": _pairs(False, pod="x", server="y")}, NOTHING, id="of-others"),
        pytest.param(
            "tls-unknown-root",
            {"tls_pairs": pd.concat([_pairs(True), _pairs(False, server="z")]), **behind()},
            "refuted as of the capture: the only pair",
            id="of-another-service",
        ),
        pytest.param(
            "tls-verify",
            {"tls_pairs": _pairs(True)},
            "as of the capture all pairs verify by key: look at names",
            id="a-text-that-does-not-say-why",
        ),
        pytest.param("tls-verify", {"tls_pairs": _pairs(False)}, "confirmed: 1 of 1 pair", id="by-key"),
        pytest.param(
            "tls-leaf-expired",
            {"certificates": _held(not_after=[LATE])},
            "confirmed: 1 such certificate had ended, a first",
            id="a-leaf-ended",
        ),
        pytest.param(
            "tls-leaf-expired",
            {"certificates": _held(not_after=[FAR])},
            "refuted as of the capture: none of 1 such certificate had ended",
            id="no-leaf-ended",
        ),
        pytest.param("tls-leaf-expired", {"certificates": _held(role="root", not_after=[LATE])}, NOTHING, id="a-root"),
        pytest.param(
            "tls-leaf-expired",
            {"certificates": _held(not_after=[NOON - pd.Timedelta(seconds=30)])},
            "refuted as of the capture",
            id="ended-after-the-last-line",
        ),
        pytest.param(
            "tls-root-expired",
            {"certificates": _held(role="root", not_after=[LATE])},
            "confirmed: 1 such certificate had ended",
            id="a-root-ended",
        ),
        pytest.param(
            "tls-root-expired",
            {"certificates": _held(role="root", not_after=[LATE]).assign(place="webhook:x")},
            NOTHING,
            id="a-root-of-a-webhook",
        ),
        pytest.param(
            "tls-not-yet-valid",
            {"certificates": _held(not_before=[NOON])},
            "confirmed: 1 certificate had not begun, a first",
            id="early",
        ),
        pytest.param(
            "tls-not-yet-valid",
            {"certificates": _held(not_before=[LATE])},
            "refuted as of the capture: the only certificate had begun",
            id="begun",
        ),
        pytest.param(
            "tls-to-plaintext",
            behind(injected=False),
            "confirmed: 1 of 1 host has no sidecar, shop/pay-1 first",
            id="no-sidecar",
        ),
        pytest.param("tls-to-plaintext", behind(), "its only host has a sidecar: look at the mode", id="a-sidecar"),
        pytest.param("tls-to-plaintext", behind(injected=None), NOTHING, id="not-told-whether-it-has-one"),
        pytest.param("tls-handshake-cut", behind(injected=False), "confirmed: 1 of 1 host", id="cut-by-one-without"),
        pytest.param(
            "tls-no-certificate",
            {"secret_instances": own("secret_instances", name=["default"], state=["warming"])},
            "confirmed: shop/web-1 has no default as of the capture",
            id="not-delivered",
        ),
        pytest.param(
            "tls-no-certificate",
            {"secret_instances": own("secret_instances", name=["default"], state=["active"])},
            "over as of the capture: the only secret of who logged it is there",
            id="delivered",
        ),
        pytest.param(
            "tls-parameters",
            {
                "config": frame(
                    "config",
                    kind=["Gateway"],
                    object=["Gateway:a/b"],
                    spec=['{"tls":{"minProtocolVersion":"TLSV1_3"}}'],
                )
            },
            "versions or ciphers are set by Gateway:a/b",
            id="versions-are-set",
        ),
        pytest.param(
            "tls-parameters", {"config": frame("config", kind=["Gateway"], spec=["{}"])}, NOTHING, id="not-set"
        ),
        pytest.param(
            "tls-revoked",
            {
                "config": frame(
                    "config", kind=["ConfigMap"], name=["istio-ca-crl"], object=["ConfigMap:shop/istio-ca-crl"]
                )
            },
            "confirmed: a list of revoked certificates",
            id="a-list",
        ),
        pytest.param(
            "tls-revoked", {"config": frame("config", kind=["ConfigMap"], name=["istio"])}, NOTHING, id="no-list"
        ),
    ],
)
def test_what_else_tells(family: str, frames: dict[str, pd.DataFrame], said: str) -> None:
    assert said_of(family, **frames).startswith(said)


def test_whose_leaf_had_ended_depends_on_who_judged() -> None:
    both = {
        "certificates": pd.concat([_held(not_after=[FAR]), _held("web-1", not_after=[LATE])]),
        "tls_pairs": _pairs(None),
    }
    both["tls_pairs"]["verified"] = True

    peer = lines_of("tls-leaf-expired", who="peer", cluster=CLUSTER)
    assert said_of("tls-leaf-expired", peer, **both).startswith("confirmed: 1 such certificate")
    assert said_of("tls-leaf-expired", **both).startswith("refuted as of the capture: none of 1")


def _accepted(*names: str) -> dict[str, pd.DataFrame]:
    """What a cluster accepts, where the only leaf shows ``spiffe://td/ns/a/sa/pay``."""
    return {
        "clusters": frame("clusters", name=[CLUSTER], sans=[names]),
        "certificates": _held(san=[("spiffe://td/ns/a/sa/pay",)]),
    }


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        pytest.param(
            _accepted("spiffe://td/ns/a/sa/old"),
            "confirmed: spiffe://td/ns/a/sa/old is accepted, which no captured leaf shows",
            id="a-name-nobody-shows",
        ),
        pytest.param(_accepted("spiffe://td/ns/a/sa/pay"), NOTHING, id="a-name-that-is-shown"),
        pytest.param(_accepted("prefix:spiffe://other/"), NOTHING, id="a-pattern"),
        pytest.param(
            _accepted("spiffe://td/ns/a/sa/old")
            | {"endpoints": own("endpoints", cluster=[CLUSTER], address=["10.0.0.8:80"])}
            | {"pods": frame("pods", namespace=["shop"], pod=["pay-2"], ip=["10.0.0.8"])},
            NOTHING,
            id="of-its-own-hosts-no-leaf-was-captured",
        ),
    ],
)
def test_names_that_are_accepted(frames: dict[str, pd.DataFrame], said: str) -> None:
    assert said_of("tls-identity", **frames) == said


def _of_go(said: str) -> pd.DataFrame:
    return lines_of("tls-unknown-root", 1, who="-", signature=["T17"], text=[said])


def test_go_programs_are_judged_by_the_roots_that_are_held() -> None:
    trust = frame("trust", root=["a", "b"])

    assert said_of("tls-unknown-root", _of_go("x509: unknown"), trust=trust) == (
        "confirmed: 2 roots, by key, are held among the proxies"
    )


@pytest.mark.parametrize(("spki", "said"), [("other", "confirmed: the CA bundle of webhook"), ("root", NOTHING)])
def test_the_api_server_is_judged_by_the_bundle_of_its_webhook(spki: str, said: str) -> None:
    name = "rev.namespace.sidecar-injector.istio.io"
    certificates = frame(
        "certificates",
        subject_id=["MutatingWebhookConfiguration:istio", "ConfigMap:shop/istio-ca-root-cert"],
        place=[f"webhook:{name}", "configmap:shop/istio-ca-root-cert"],
        spki=[spki, "root"],
    )
    webhooks = frame(
        "webhooks", object=["MutatingWebhookConfiguration:istio"], name=[name], service=["istio-system/istiod:443"]
    )

    assert said_of(
        "tls-unknown-root", _of_go("failed calling webhook: x509"), certificates=certificates, webhooks=webhooks
    ).startswith(said)
