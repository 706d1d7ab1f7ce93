"""Roots in all places that keep them, and who verifies whom."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.certificates_trust import (
    ca_root_not_given_out,
    cannot_verify,
    old_root_held,
    pair_cannot_verify,
    root_reissued,
    several_roots,
    trust_changed,
    trust_split,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
BEGAN = {"old": NOON - pd.Timedelta(days=400), "new": NOON - pd.Timedelta(days=1), "again": NOON}


def _trust(ago_s: int = 0, **roots: list[str]) -> pd.DataFrame:
    """Which pod holds which roots, `ago_s` before noon; ``old/2`` is the key of ``old`` in another certificate."""
    rows = [(pod.replace("_", "-"), root) for pod, held in roots.items() for root in held]
    keys = [root.partition("/")[0] for _, root in rows]
    return frame(
        "trust",
        namespace=["shop"] * len(rows),
        pod=[pod for pod, _ in rows],
        captured_at=[NOON - pd.Timedelta(seconds=ago_s)] * len(rows),
        root=keys,
        spki=keys,
        fingerprint=[f"fingerprint of {root}" for _, root in rows],
        serial=[f"serial of {root}" for _, root in rows],
        not_before=[BEGAN[key] for key in keys],
    )


def _kept(place: str, *roots: str, role: str = "root", pointer: str = "/data/x#pem1") -> pd.DataFrame:
    kind, _, name = place.partition(":")
    object_id = f"{'Secret' if kind == 'secret' else 'ConfigMap'}:{name}"
    keys = [root.partition("/")[0] for root in roots]
    return frame(
        "certificates",
        subject_id=[object_id] * len(roots),
        place=[place] * len(roots),
        role=[role] * len(roots),
        spki=keys,
        fingerprint=[f"fingerprint of {root}" for root in roots],
        serial=[f"serial of {root}" for root in roots],
        not_before=[BEGAN[key] for key in keys],
        pointer=[pointer] * len(roots),
    )


@pytest.mark.parametrize(
    ("trust", "subjects"),
    [
        pytest.param(_trust(a=["old"], b=["old"]), [], id="one-set"),
        pytest.param(_trust(a=["old"], b=["new"]), [("shop/a", "shop/b")], id="disjoint"),
        pytest.param(_trust(a=["old", "new"], b=["new"]), [], id="overlap"),
        pytest.param(_trust(a=["old"], b=["old", "new"], c=["new"]), [("shop/a", "shop/c")], id="two-ends"),
    ],
)
def test_trust_split(trust: pd.DataFrame, subjects: list[tuple[str, ...]]) -> None:
    assert [each.subjects for each in outcome(trust_split, trust=trust).findings] == subjects


def test_one_split_is_one_finding_that_names_its_groups() -> None:
    """Whoever holds both roots trusts either."""
    trust = _trust(a=["old"], b=["old", "new"], c=["new"], d=["new"])

    said = [each.detail for each in outcome(trust_split, trust=trust).findings]

    assert said == [
        "2 proxies, shop/c first, trust only serial of new; 1 proxy, shop/a first, trusts only serial of old"
    ]


@pytest.mark.parametrize(("verified", "found"), [(False, 1), (True, 0), (None, 0)])
def test_pairs_that_cannot_verify(verified: bool | None, found: int) -> None:
    pairs = frame(
        "tls_pairs",
        namespace=["shop"],
        pod=["web-1"],
        server_namespace=["shop"],
        server_pod=["pay-1"],
        verified=[verified],
        server_root=["a1"],
        reason=["its issuer is not trusted"],
    )

    said = outcome(pair_cannot_verify, tls_pairs=pairs)

    assert [each.subjects for each in said.findings] == [("shop/pay-1",)] * found


@pytest.mark.parametrize(("used", "found"), [(True, 1), (False, 0), (None, 1)], ids=["called", "never", "not-counted"])
def test_a_pair_that_never_called_is_no_call_that_fails(used: bool | None, found: int) -> None:
    pairs = frame("tls_pairs", server_namespace=["shop"], server_pod=["pay-1"], verified=[False], used=[used])

    assert len(outcome(pair_cannot_verify, tls_pairs=pairs).findings) == found


@pytest.mark.parametrize(
    ("client", "server", "who"),
    [
        (False, False, "callers and servers do not verify each other"),
        (False, True, "callers do not verify servers"),
        (False, None, "callers do not verify servers"),
        (True, False, "servers do not verify their callers"),
        (None, None, "one side does not verify the other"),
    ],
)
def test_who_does_not_verify_whom(client: bool | None, server: bool | None, who: str) -> None:
    """With an overlap on one side only the other refuses."""
    pairs = frame(
        "tls_pairs",
        namespace=["shop"],
        pod=["web-1"],
        server_namespace=["shop"],
        server_pod=["pay-1"],
        verified=[False],
        client_verifies=[client],
        server_verifies=[server],
        reason=["its issuer is not trusted"],
    )

    (finding,) = outcome(pair_cannot_verify, tls_pairs=pairs).findings

    assert finding.detail == f"{who}, for 1 server, such as shop/web-1 to shop/pay-1: its issuer is not trusted"


@pytest.mark.parametrize(("verified", "found"), [(False, 1), (True, 0), (None, 0)])
def test_a_gap_in_the_trust_matrix(verified: bool | None, found: int) -> None:
    matrix = frame(
        "trust_matrix",
        roots=["a1"],
        judges=[("shop/web-1", "shop/web-2")],
        shows=[("shop/pay-1", "shop/pay-2")],
        verified=[verified],
        reason=["its issuer is not trusted"],
    )

    said = outcome(cannot_verify, trust_matrix=matrix)

    assert [(each.subjects, each.severity) for each in said.findings] == [
        (("shop/pay-1", "shop/pay-2"), Severity.WARNING)
    ] * found


@pytest.mark.parametrize(
    ("trust", "found"),
    [
        pytest.param(_trust(a=["old"], b=["old"]), 0, id="one"),
        pytest.param(_trust(a=["old"], b=["old/2"]), 0, id="one-key-twice"),
        pytest.param(_trust(a=["old", "new"], b=["old", "new"]), 1, id="an-overlap"),
    ],
)
def test_several_roots(trust: pd.DataFrame, found: int) -> None:
    assert [each.severity for each in outcome(several_roots, trust=trust).findings] == [Severity.INFO] * found


MAP, ISTIO_CA, CACERTS = "configmap:shop/istio-ca-root-cert", "secret:i/istio-ca-secret", "secret:i/cacerts"


@pytest.mark.parametrize(
    ("trust", "kept", "subjects"),
    [
        pytest.param(_trust(a=["old"], b=["old"]), None, [], id="one-root"),
        pytest.param(_trust(a=["old", "new"], b=["old", "new"]), None, [], id="an-overlap-everywhere"),
        pytest.param(_trust(a=["old"], b=["old", "new"]), None, [("shop/a",)], id="a-proxy"),
        pytest.param(_trust(a=["new"]), _kept(MAP, "old"), [("ConfigMap:shop/istio-ca-root-cert",)], id="a-namespace"),
        pytest.param(_trust(a=["old"]), _kept(CACERTS, "new"), [("shop/a",)], id="the-ca-is-ahead"),
        pytest.param(
            _trust(a=["new"]), _kept(ISTIO_CA, "new", "old", role="root-in-chain"), [], id="the-ca-holds-both"
        ),
        pytest.param(
            _trust(a=["new"]),
            _kept(ISTIO_CA, "old", pointer="/items/0/data/root-cert.pem#pem1"),
            [],
            id="root-cert-of-istio-ca-secret-stays-old",
        ),
        pytest.param(_trust(a=["new"]), _kept("configmap:shop/linkerd-config", "old"), [], id="another-config-map"),
    ],
)
def test_who_still_holds_the_old_root(
    trust: pd.DataFrame, kept: pd.DataFrame | None, subjects: list[tuple[str, ...]]
) -> None:
    known: dict[str, Any] = {} if kept is None else {"certificates": kept}

    said = outcome(old_root_held, trust=trust, **known)

    assert [(each.subjects, each.severity) for each in said.findings] == [(each, Severity.WARNING) for each in subjects]


@pytest.mark.parametrize(
    ("kept", "trust", "subjects"),
    [
        pytest.param(_kept(CACERTS, "new"), _trust(a=["new"]), [], id="given-out"),
        pytest.param(_kept(CACERTS, "new"), _trust(a=["old"], b=["old"]), [("shop/a", "shop/b")], id="not-given-out"),
        pytest.param(_kept(CACERTS, "new", "old"), _trust(a=["old"]), [], id="a-bundle"),
        pytest.param(_kept(CACERTS, "old/2"), _trust(a=["old"]), [], id="the-same-key"),
        pytest.param(_kept(MAP, "old"), _trust(a=["new"]), [], id="the-ca-was-not-captured"),
    ],
)
def test_the_root_of_the_ca(kept: pd.DataFrame, trust: pd.DataFrame, subjects: list[tuple[str, ...]]) -> None:
    said = outcome(ca_root_not_given_out, certificates=kept, trust=trust)

    assert [each.subjects for each in said.findings] == subjects


@pytest.mark.parametrize(
    ("trust", "found"),
    [
        pytest.param(_trust(a=["old"], b=["old/2"]), 1, id="the-same-key"),
        pytest.param(_trust(a=["old"], b=["new"]), 0, id="another-key"),
        pytest.param(_trust(a=["old"], b=["old"]), 0, id="the-same-certificate"),
    ],
)
def test_a_root_that_was_issued_anew(trust: pd.DataFrame, found: int) -> None:
    assert [each.severity for each in outcome(root_reissued, trust=trust).findings] == [Severity.INFO] * found


@pytest.mark.parametrize(
    ("samples", "found"),
    [
        pytest.param([_trust(600, a=["old"], b=["old"]), _trust(0, a=["new"], b=["old"])], 1, id="moved"),
        pytest.param([_trust(600, a=["old"]), _trust(0, a=["old", "new"])], 1, id="got-both"),
        pytest.param([_trust(600, a=["old"]), _trust(0, a=["old/2"])], 0, id="the-same-key"),
        pytest.param([_trust(600, a=["old"]), _trust(0, a=["old"])], 0, id="unchanged"),
        pytest.param([_trust(0, a=["old"])], 0, id="one-capture"),
    ],
)
def test_when_trust_changed(samples: list[pd.DataFrame], found: int) -> None:
    said = outcome(trust_changed, trust_over_time=pd.concat(samples, ignore_index=True))

    assert [(each.subjects, each.at) for each in said.findings] == [(("shop/a",), NOON)] * found


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (trust_split, "not captured: trust"),
        (pair_cannot_verify, "not captured: tls_pairs"),
        (cannot_verify, "not captured: trust_matrix"),
        (several_roots, "not captured: trust"),
        (old_root_held, "not captured: trust"),
        (ca_root_not_given_out, "not captured: certificates"),
        (root_reissued, "not captured: trust"),
        (trust_changed, "not captured: trust"),
    ],
)
def test_without_its_tables_it_is_not_evaluated(check: Check, reason: str) -> None:
    assert outcome(check).not_evaluated == reason
