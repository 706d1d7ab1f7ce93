"""What refutes the incidents of certificates and access, and how their look-alikes are told apart."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.access import denied
from meshforensics.checks.certificates import intermediate_expired, leaf_expired, root_expired
from meshforensics.model import Finding, Standing
from meshforensics.tables.denials import denials
from meshforensics.testing import frame, outcome
from tests.incidents.cases import NOON, calls, judged, whole_mesh

SUPPORTED, POSSIBLE, REFUTED = Standing.SUPPORTED, Standing.POSSIBLE, Standing.REFUTED
PODS = ["web-1", "pay-1"]
DAY = timedelta(days=1)


def _trust(*roots: str) -> pd.DataFrame:
    """The root of each of the two proxies."""
    return frame(
        "trust",
        namespace=["shop"] * 2,
        pod=PODS,
        root=list(roots),
        serial=list(roots),
        not_before=[NOON - DAY * (400 if each == "old" else 1) for each in roots],
    )


def _pairs(verified: bool) -> pd.DataFrame:
    return frame(
        "tls_pairs",
        namespace=["shop"],
        pod=["web-1"],
        server_namespace=["shop"],
        server_pod=["pay-1"],
        verified=[verified],
        client_verifies=[verified],
        server_verifies=[verified],
    )


@pytest.mark.parametrize(
    ("roots", "verified", "family", "status"),
    [
        pytest.param(("old", "new"), False, "tls-unknown-root", SUPPORTED, id="seen-failing"),
        pytest.param(("old", "new"), False, "", POSSIBLE, id="not-seen-failing"),
        pytest.param(("old", "new"), True, "", REFUTED, id="every-leaf-verifies"),
        pytest.param(("old", "old"), True, "tls-root-expired", REFUTED, id="the-root-has-ended"),
        pytest.param(("old", "old"), True, "tls-identity", REFUTED, id="the-name-is-not-accepted"),
    ],
)
def test_ca_rotation(roots: tuple[str, ...], verified: bool, family: str, status: Standing) -> None:
    mesh = whole_mesh() | {"trust": _trust(*roots), "tls_pairs": _pairs(verified)}
    mesh["calls"] = calls(20 if family else 0, family)

    assert judged("ca-rotation", **mesh).status is status


def _certificates(*rows: tuple[str, str, str, timedelta]) -> pd.DataFrame:
    """Rows of pod, role, serial and what is left of it; whole lives of a day."""
    return frame(
        "certificates",
        namespace=["shop"] * len(rows),
        pod=[pod for pod, *_ in rows],
        subject_id=[f"shop/{pod}" for pod, *_ in rows],
        role=[role for _, role, *_ in rows],
        serial=[serial for _, _, serial, _ in rows],
        san=[("spiffe://td/ns/shop/sa/web",)] * len(rows),
        not_before=[NOON + left - DAY for *_, left in rows],
        not_after=[NOON + left for *_, left in rows],
    )


def _found(certificates: pd.DataFrame) -> tuple[Finding, ...]:
    checks: tuple[Check, ...] = (root_expired, intermediate_expired, leaf_expired)
    return tuple(finding for check in checks for finding in outcome(check, at=NOON, certificates=certificates).findings)


ENDED, ALIVE = timedelta(seconds=-1), timedelta(hours=2)
ROOTS = [("web-1", "root", "r", ALIVE), ("pay-1", "root", "r", ALIVE)]
LEAVES = [("web-1", "leaf", "a", ALIVE), ("pay-1", "leaf", "b", ALIVE)]


@pytest.mark.parametrize(
    ("rows", "family", "root", "leaf"),
    [
        pytest.param([*ROOTS, *LEAVES], "", REFUTED, REFUTED, id="little-life-left-is-not-ended"),
        pytest.param(
            [*ROOTS, LEAVES[0], ("pay-1", "leaf", "b", ENDED)], "tls-leaf-expired", REFUTED, SUPPORTED, id="leaf"
        ),
        pytest.param(
            [("web-1", "root", "r", ENDED), ("pay-1", "root", "r", ENDED), *LEAVES],
            "tls-root-expired",
            SUPPORTED,
            REFUTED,
            id="root",
        ),
        pytest.param(
            [("web-1", "root", "r", ENDED), ("pay-1", "root", "r", ENDED), LEAVES[0], ("pay-1", "leaf", "b", ENDED)],
            "tls-root-expired",
            SUPPORTED,
            REFUTED,
            id="root-and-leaf",
        ),
        pytest.param(
            [*ROOTS, ("web-1", "root", "old", ENDED), ("pay-1", "root", "old", ENDED), *LEAVES],
            "",
            REFUTED,
            REFUTED,
            id="a-valid-root-beside-it-everywhere",
        ),
        pytest.param(
            [*ROOTS, *LEAVES, ("pay-1", "intermediate", "m", ENDED)],
            "tls-root-expired",
            SUPPORTED,
            REFUTED,
            id="between",
        ),
    ],
)
def test_which_certificate_has_ended(
    rows: list[tuple[str, str, str, timedelta]], family: str, root: Standing, leaf: Standing
) -> None:
    certificates = _certificates(*rows)
    mesh = whole_mesh() | {"certificates": certificates, "calls": calls(20 if family else 0, family)}
    found = _found(certificates)

    assert judged("root-expired", *found, **mesh).status is root
    assert judged("leaf-expired", *found, **mesh).status is leaf


@pytest.mark.parametrize(
    ("family", "mismatch", "modes"),
    [
        pytest.param("tls-identity", SUPPORTED, REFUTED, id="the-name-is-not-accepted"),
        pytest.param("tls-to-plaintext", REFUTED, SUPPORTED, id="tls-to-plaintext"),
        pytest.param("tls-unknown-root", REFUTED, REFUTED, id="the-root-is-not-known"),
        pytest.param("tls-leaf-expired", REFUTED, REFUTED, id="the-leaf-has-ended"),
        pytest.param("connect-failure", REFUTED, REFUTED, id="nothing-listens"),
        pytest.param("", REFUTED, REFUTED, id="all-is-served"),
    ],
)
def test_why_a_handshake_fails(family: str, mismatch: Standing, modes: Standing) -> None:
    mesh = whole_mesh() | {"calls": calls(20 if family else 0, family)}

    assert judged("identity-mismatch", **mesh).status is mismatch
    assert judged("mtls-mode-conflict", **mesh).status is modes


POLICY = "rbac_access_denied_matched_policy[ns[shop]-policy[p]-rule[0]]"


def _log(details: str, status: int, path: str, *, served: str) -> pd.DataFrame:
    """A caller that is served on one path, and then refused on another."""
    count = 20
    return frame(
        "access_log",
        namespace=["shop"] * 2 * count,
        pod=["pay-1"] * 2 * count,
        at=[NOON - timedelta(seconds=200 - number) for number in range(2 * count)],
        method=["GET"] * 2 * count,
        path=[served] * count + [path] * count,
        status=[200] * count + [status] * count,
        details=["via_upstream"] * count + [details] * count,
        downstream_remote=["10.244.1.7:4000"] * 2 * count,
    )


@pytest.mark.parametrize(
    ("log", "status"),
    [
        pytest.param(_log(POLICY, 403, "/pay/2", served="/pay/1"), SUPPORTED, id="served-before"),
        pytest.param(_log(POLICY, 403, "/admin", served="/pay/1"), REFUTED, id="a-rule-that-hits-only-its-target"),
        pytest.param(_log("via_upstream", 403, "/pay/2", served="/pay/1"), REFUTED, id="the-applications-own-403"),
        pytest.param(_log("ext_authz_denied", 403, "/pay/2", served="/pay/1"), REFUTED, id="an-external-authorizer"),
        pytest.param(
            _log("jwt_authn_access_denied{Jwt_is_missing}", 401, "/pay/2", served="/pay/1"), REFUTED, id="a-token"
        ),
    ],
)
def test_who_refused_a_call(log: pd.DataFrame, status: Standing) -> None:
    assert denials.derives is not None
    made = denials.derives(log)
    mesh: dict[str, Any] = whole_mesh() | {"access_log": log, "denials": made}

    assert judged("rbac-denied", *outcome(denied, at=NOON, denials=made).findings, **mesh).status is status
