"""syncz of both shapes: nonces alone, and resources with times and errors."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.syncz import decode
from meshforensics.model import NotTheFormError, TruncatedError

DATA = Path(__file__).parent.parent / "data" / "istio-1.31" / "syncz"


def test_resources_of_1_24_on() -> None:
    syncs = decode(DATA.read_bytes())

    assert [(sync.proxy, sync.type, sync.status, sync.sent_at) for sync in syncs] == [
        ("istio-system/istio-ingressgateway-shpd585tt-9vm87", "cds", "SYNCED", "2026-11-23T18:49:58Z"),
        ("istio-system/istio-ingressgateway-shpd585tt-9vm87", "lds", "SYNCED", "2026-11-23T18:49:58Z"),
        ("istio-system/istio-ingressgateway-shpd585tt-9vm87", "rds", "SYNCED", "2026-11-23T18:49:58Z"),
        ("istio-system/istio-ingressgateway-shpd585tt-9vm87", "eds", "SYNCED", "2026-11-23T18:49:58Z"),
        ("ops/seats-v1-p7n8cbmrb-tp4xn", "cds", "SYNCED", "2026-11-23T18:49:59Z"),
        ("ops/seats-v1-p7n8cbmrb-tp4xn", "lds", "NACKED", "2026-11-23T18:49:59Z"),
        ("ops/seats-v1-p7n8cbmrb-tp4xn", "rds", "NOT SENT", None),
        ("ops/seats-v1-p7n8cbmrb-tp4xn", "eds", "NOT SENT", None),
    ]
    refused = syncs[5]
    assert refused.error == (
        "Error adding/updating listener(s) virtualInbound: local rate limit token bucket fill timer must be >= 50ms\n"
    )
    assert refused.pointer == "/1/resources/type.googleapis.com~1envoy.config.listener.v3.Listener"


@pytest.mark.parametrize(
    ("sent", "acked", "error", "status"),
    [
        pytest.param("a", "a", None, "SYNCED", id="synced"),
        pytest.param("a", "b", None, "STALE", id="stale"),
        pytest.param("a", None, None, "NEVER ACKED", id="never-acked"),
        pytest.param(None, None, None, "NOT SENT", id="not-sent"),
        pytest.param("", "", None, "NOT SENT", id="empty"),
        pytest.param("a", "b", "x", "NACKED", id="rejected"),
        pytest.param("a", None, "x", "NACKED", id="rejected-first"),
        pytest.param("a", "a", "x", "SYNCED", id="accepted-since"),
    ],
)
def test_status(sent: str | None, acked: str | None, error: str | None, status: str) -> None:
    said = {"sent": sent, "acked": acked, "lastError": error}
    payload = json.dumps([{"proxy": "web.v1-0.shop", "resources": {"x/y.Listener": said}}]).encode()

    found = next(sync for sync in decode(payload) if sync.type == "lds")

    assert (found.proxy, found.status) == ("shop/web.v1-0", status)


def test_nonces_with_a_prefix_and_places() -> None:
    payload = b'[{"proxy":"a.b","cluster_sent":"/x=1","cluster_acked":"/x=2","extensionconfig_sent":"1"}]'

    assert [(sync.type, sync.status, sync.pointer) for sync in decode(payload)] == [
        ("cds", "STALE", "/0/cluster_sent"),
        ("lds", "NOT SENT", "/0"),
        ("rds", "NOT SENT", "/0"),
        ("eds", "NOT SENT", "/0"),
        ("ecds", "NEVER ACKED", "/0/extensionconfig_sent"),
    ]


def test_a_ztunnel_is_not_sent_what_it_never_asks_for() -> None:
    payload = (
        b'[{"proxy":"z.ns","proxy_type":"ztunnel","resources":{"x/istio.workload.Address":{"sent":"1","acked":"1"}}}]'
    )

    assert [(sync.type, sync.status) for sync in decode(payload)] == [("wds", "SYNCED")]


@pytest.mark.parametrize("payload", [b"null", b"[]"])
def test_no_proxy_is_connected(payload: bytes) -> None:
    assert decode(payload) == ()


@pytest.mark.parametrize("payload", [b"", b"{}", b"[1]", b'[{"a":1}]', b"Unauthorized\n", b"\xff"])
def test_what_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


def test_a_cut_one_is_said_to_be_cut() -> None:
    with pytest.raises(TruncatedError):
        decode(DATA.read_bytes()[:-100])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["proxy", "resources", "cluster_sent", "sent", "x/y.Listener"]), inner, max_size=4
        )
    ),
)


@given(_JSON)
def test_any_json_is_syncz_or_refused(value: object) -> None:
    try:
        syncs = decode(json.dumps(value).encode())
    except NotTheFormError:
        return
    assert all(sync.status for sync in syncs)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("istiod/kiali_registry-syncz.json", {"SYNCED": 135, "NOT SENT": 1}),
        (
            "bugreport/istio_2023-09/bug-report/istio/istio-system/istiod-5dc9d477-27gmf/debug/syncz",
            {"SYNCED": 67, "NOT SENT": 1},
        ),
        (
            "bugreport/istio_2023-05/bug-report/istio/istio-system/istiod-7bf5f89d87-bmlhz/debug/syncz",
            {"SYNCED": 3, "NOT SENT": 1},
        ),
    ],
)
def test_public_ones(corpus: Path, path: str, statuses: dict[str, int]) -> None:
    assert Counter(sync.status for sync in decode((corpus / path).read_bytes())) == statuses
