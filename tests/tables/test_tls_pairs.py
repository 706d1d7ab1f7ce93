"""Whether callers and those they call verify each other, by key."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.tables.tls_pairs import tls_pairs
from meshforensics.testing import frame
from tests.pki import Made, certificate

OLD = certificate("cluster.local", key_name="old", ca=True, serial=0x1)
NEW = certificate("cluster.local", key_name="new", ca=True, serial=0x2)
RENEWED = certificate("cluster.local", key_name="old", ca=True, serial=0x3)
OTHER_KEY = "a root of the issuer's name is trusted, with another key"


def of(pod: str, by: Made | None, *roots: Made) -> list[dict[str, Any]]:
    """The certificates of a proxy: its leaf and the roots it trusts."""
    held = {"namespace": "shop", "pod": pod}
    rows = [{**held, "place": "sds:ROOTCA", "role": "root", "serial": "", "pem": root.pem} for root in roots]
    if by is not None:
        leaf = certificate("", by=by, key_name=pod, serial=0xA)
        rows.append({**held, "place": "sds:default", "role": "leaf", "serial": "a", "pem": leaf.pem})
    return rows


def judged(*rows: dict[str, Any], address: str = "10.0.0.2:80", cluster: str = "outbound|80||db") -> list[Any]:
    """Of the pair web → db: verified, by the client, by the server, and why not."""
    columns = ["server_pod", "verified", "client_verifies", "server_verifies", "reason"]
    return _cells(columns, *rows, address=address, cluster=cluster)


def _cells(
    columns: list[str], *rows: dict[str, Any], address: str = "10.0.0.2:80", cluster: str = "outbound|80||db"
) -> list[Any]:
    names = ("namespace", "pod", "place", "role", "serial", "pem")
    certificates = frame("certificates", **{name: [row[name] for row in rows] for name in names})
    endpoints = frame("endpoints", namespace=["shop"], pod=["web"], cluster=[cluster], address=[address])
    proxies = frame("proxies", namespace=["shop"] * 3, pod=["web", "db", "six"], ip=["10.0.0.1", "10.0.0.2", "fd00::2"])
    assert tls_pairs.derives is not None
    frames = {"endpoints": endpoints, "certificates": certificates, "proxies": proxies, "pods": frame("pods")}
    made = tls_pairs.derives(**frames).astype("object")
    return [tuple(None if pd.isna(row[name]) else row[name] for name in columns) for _, row in made.iterrows()]


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        pytest.param([*of("web", OLD, OLD), *of("db", OLD, OLD)], ("db", True, True, True, None), id="one-root"),
        pytest.param(
            [*of("web", OLD, OLD), *of("db", NEW, NEW)], ("db", False, False, False, OTHER_KEY), id="no-overlap"
        ),
        pytest.param(
            [*of("web", OLD, OLD, NEW), *of("db", NEW, OLD, NEW)], ("db", True, True, True, None), id="overlap"
        ),
        pytest.param(
            [*of("web", OLD, OLD, NEW), *of("db", NEW, NEW)], ("db", False, True, False, OTHER_KEY), id="one-way"
        ),
        pytest.param(
            [*of("web", OLD, OLD), *of("db", OLD, RENEWED)],
            ("db", True, True, True, None),
            id="root-renewed-same-key",
        ),
        pytest.param([*of("web", OLD, OLD)], ("db", None, None, None, None), id="server-not-captured"),
        pytest.param(
            [*of("web", None, OLD), *of("db", OLD, OLD)], ("db", None, True, None, None), id="caller-without-leaf"
        ),
        pytest.param(
            [*of("web", None, OLD), *of("db", NEW, OLD)],
            ("db", False, False, None, OTHER_KEY),
            id="one-refusal-is-enough",
        ),
    ],
)
def test_a_pair(rows: list[dict[str, Any]], verdict: tuple[object, ...]) -> None:
    assert judged(*rows) == [verdict]


@pytest.mark.parametrize(
    ("address", "cluster", "servers"),
    [
        pytest.param("[fd00::2]:80", "outbound|80||six", ["six"], id="ipv6"),
        pytest.param("10.0.0.1:80", "outbound|80||web", [], id="itself"),
        pytest.param("10.9.9.9:80", "outbound|80||far", [], id="nobody-known"),
        pytest.param("10.0.0.2:80", "inbound|80||", [], id="inbound-is-no-call"),
    ],
)
def test_who_calls_whom(address: str, cluster: str, servers: list[str]) -> None:
    assert [row[0] for row in judged(*of("web", OLD, OLD), address=address, cluster=cluster)] == servers


@pytest.mark.parametrize(
    ("web", "db", "place"),
    [
        pytest.param(of("web", OLD, OLD), of("db", NEW, NEW), "/3", id="the-servers-leaf"),
        pytest.param(of("web", OLD, OLD, NEW), of("db", NEW, NEW), "/2", id="the-callers-leaf"),
    ],
)
def test_the_place_is_that_of_the_leaf_that_does_not_verify(
    web: list[dict[str, Any]], db: list[dict[str, Any]], place: str
) -> None:
    assert _cells(["pointer"], *web, *db) == [(place,)]


@pytest.mark.parametrize(
    ("connections", "used"),
    [((0, 3), True), ((0, 0), False), ((0, None), None), ((None, 2), True)],
    ids=["one-way-was-tried", "never", "one-way-is-not-counted", "the-other-was-tried"],
)
def test_whether_a_caller_ever_tried(connections: tuple[int | None, ...], used: bool | None) -> None:
    """A server may be behind several clusters of its caller."""
    ways = {"cluster": ["outbound|80||db", "outbound|81||db"], "address": ["10.0.0.2:80", "10.0.0.2:81"]}
    endpoints = frame("endpoints", namespace=["shop"] * 2, pod=["web"] * 2, cx_total=list(connections), **ways)
    proxies = frame("proxies", namespace=["shop"], pod=["db"], ip=["10.0.0.2"])
    assert tls_pairs.derives is not None

    made = tls_pairs.derives(endpoints, frame("certificates"), proxies, frame("pods"))

    assert [None if pd.isna(each) else each for each in made["used"]] == [used]
