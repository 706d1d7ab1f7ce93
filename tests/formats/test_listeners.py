"""Envoy's /listeners, as text and as JSON."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.listeners import BoundListener, BoundListeners, decode
from meshforensics.model import NotTheFormError, TruncatedError

SAMPLE = Path(__file__).parents[1] / "data/admin-1.40/listeners"
JSON = b"""{"listener_statuses": [
 {"name": "a", "local_address": {"socket_address": {"address": "::", "port_value": 80}},
  "additional_local_addresses": [{"pipe": {"path": "/run/a"}}]},
 {"name": "b"}]}"""


def test_a_real_answer() -> None:
    assert decode(SAMPLE.read_bytes()).listeners == (
        BoundListener("L1", "4e67a478-a029-4a88-80f1-b76eecdd42ea", "0.0.0.0:15090"),
        BoundListener("L2", "be1ecc1e-d2d1-4e94-bbb2-3d3e527ca772", "0.0.0.0:15021"),
        BoundListener("L3", "virtualOutbound", "0.0.0.0:15001"),
        BoundListener("L4", "virtualInbound", "0.0.0.0:15006"),
    )


def test_json_with_a_second_address_and_without_any() -> None:
    assert decode(JSON).listeners == (
        BoundListener("/listener_statuses/0", "a", "[::]:80"),
        BoundListener("/listener_statuses/0/additional_local_addresses/0", "a", "/run/a"),
        BoundListener("/listener_statuses/1", "b", None),
    )


@pytest.mark.parametrize(
    ("line", "name", "address"),
    [
        pytest.param("[::]_80::[::]:80", "[::]_80", "[::]:80", id="ipv6-in-name-and-address"),
        pytest.param("a::/run/a.sock", "a", "/run/a.sock", id="pipe"),
        pytest.param("a::@abstract", "a", "@abstract", id="abstract-pipe"),
        pytest.param("main_internal::envoy://main_internal/", "main_internal", "envoy://main_internal/", id="internal"),
    ],
)
def test_a_line(line: str, name: str, address: str) -> None:
    assert decode(f"{line}\n".encode()).listeners == (BoundListener("L1", name, address),)


def test_no_listener_at_all() -> None:
    assert decode(b'{"listener_statuses": []}') == BoundListeners(())


def test_a_last_line_without_its_end_is_left_out_and_an_odd_line_is_named() -> None:
    said = decode(b"a::[fd00::1]:80\nb::1.1.1.1:1\nsome words\nc::0.0.")

    assert said == BoundListeners(
        (BoundListener("L1", "a", "[fd00::1]:80"), BoundListener("L2", "b", "1.1.1.1:1")), (3,)
    )


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        pytest.param(b"", "empty, where an answer of /listeners was expected", id="empty"),
        pytest.param(b"{}", "not an answer of /listeners: JSON without listener_statuses", id="another-object"),
        pytest.param(b"no healthy upstream", "not an answer of /listeners: line 1 is 'no healthy upstream'", id="text"),
    ],
)
def test_what_is_refused(payload: bytes, why: str) -> None:
    with pytest.raises(NotTheFormError) as refused:
        decode(payload)

    assert str(refused.value) == why


def test_cut_json_is_truncated() -> None:
    with pytest.raises(TruncatedError):
        decode(JSON[:100])


@given(st.binary() | st.text("ab:.1\n").map(str.encode) | st.binary().map(lambda b: b'{"listener_statuses": [' + b))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    try:
        made = decode(payload)
    except NotTheFormError:
        return
    assert all(each.pointer for each in made.listeners)


def test_the_corpus(corpus: Path) -> None:
    found = sorted(corpus.glob("bugreport/*/bug-report/proxies/*/*/listeners"))
    made = [decode(path.read_bytes()) for path in found]

    assert [(len(each.listeners), each.unread) for each in made] == [(2, ()), (34, ()), (34, ()), (3, ()), (3, ())]
