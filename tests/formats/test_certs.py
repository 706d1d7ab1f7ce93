"""Envoy's /certs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.certs import Certs, Summary, TlsContext, decode
from meshforensics.model import NotTheFormError, TruncatedError

SAMPLE = Path(__file__).parents[1] / "data/admin-1.40/certs"


def context(index: int) -> TlsContext:
    return TlsContext(
        roots=(
            Summary(
                pointer=f"/certificates/{index}/ca_cert/0",
                path="<inline>",
                serial="5c443ed150e2258e716d27ad965f471c1652a43e",
                san=(),
                not_before="2026-10-24T18:47:28Z",
                not_after="2036-10-21T18:47:28Z",
            ),
        ),
        chain=(
            Summary(
                pointer=f"/certificates/{index}/cert_chain/0",
                path="<inline>",
                serial="75fe9b0513f41a222f2a9b278baf95d3a66b3009",
                san=("spiffe://mesh.travel/ns/ops/sa/seats",),
                not_before="2026-11-23T18:45:29Z",
                not_after="2026-11-24T18:45:29Z",
            ),
        ),
    )


def test_a_real_answer_whose_path_is_escaped() -> None:
    assert decode(SAMPLE.read_bytes()) == Certs((context(0), context(1)))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b'{"certificates": [{"ca_cert": [], "cert_chain": []}]}', id="empty-lists"),
        pytest.param(b'{"certificates": [{}]}', id="left-out"),
        pytest.param(b'{"certificates": [{"ca_cert": null, "cert_chain": null}]}', id="null"),
    ],
)
def test_a_context_may_hold_nothing(payload: bytes) -> None:
    assert decode(payload) == Certs((TlsContext(roots=(), chain=()),))


@pytest.mark.parametrize(
    ("printed", "serial"),
    [
        pytest.param("0A:1B", "a1b", id="colons-capitals-leading-zero"),
        pytest.param("00", "0", id="zero"),
        pytest.param("", "", id="none"),
    ],
)
def test_a_serial_is_written_in_one_way(printed: str, serial: str) -> None:
    made = decode(b'{"certificates": [{"ca_cert": [{"serial_number": "%s"}]}]}' % printed.encode())

    assert made.contexts[0].roots[0].serial == serial


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="another-object"),
        pytest.param(b"[]", id="a-list"),
        pytest.param(b"Not Found", id="error-text"),
        pytest.param(b'{"workloads": [], "certificates": []}', id="dump-of-ztunnel"),
        pytest.param(b'{"certificates": [{"ca_cert": "Certificate Path: ca.pem"}]}', id="text-of-2017"),
    ],
)
def test_what_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError) as refused:
        decode(payload)

    assert not isinstance(refused.value, TruncatedError)


def test_a_cut_answer_is_truncated() -> None:
    with pytest.raises(TruncatedError):
        decode(SAMPLE.read_bytes()[:400])


@given(st.binary() | st.binary().map(lambda tail: b'{"certificates": [{"ca_cert": [' + tail + b"]}]}"))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    try:
        made = decode(payload)
    except NotTheFormError:
        return
    assert isinstance(made.contexts, tuple)


def test_the_corpus(corpus: Path) -> None:
    found = sorted(corpus.glob("bugreport/*/bug-report/proxies/*/*/certs"))
    made = [decode(path.read_bytes()).contexts for path in found]

    assert [len({each.serial for context in contexts for each in context.chain}) for contexts in made] == [1] * 5
