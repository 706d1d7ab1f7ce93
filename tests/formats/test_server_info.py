"""Envoy's /server_info, as JSON and as the text of before Envoy 1.9."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.server_info import ServerInfo, decode
from meshforensics.model import NotTheFormError, TruncatedError

SAMPLE = Path(__file__).parents[1] / "data/admin-1.40/server_info"
TEXT = b"envoy 0123abc/1.8.0/Clean/RELEASE live 581130 581131 0\n"


def test_a_real_answer() -> None:
    said = decode(SAMPLE.read_bytes())

    assert (said.build, said.state, said.uptime_s, said.concurrency) == ("1.40.0", "LIVE", 43.0, 1)
    assert said.node is not None
    assert (said.node.node_id, said.node.istio_version, said.node.workload, said.node.service_account) == (
        "sidecar~10.244.2.17~seats-v1-dl2k58mfh-6pckq.ops~ops.svc.cluster.local",
        "1.31.0",
        "seats-v1",
        "seats",
    )


def test_the_text_form() -> None:
    assert decode(TEXT) == ServerInfo(
        version="0123abc/1.8.0/Clean/RELEASE", state="LIVE", uptime_s=581130.0, concurrency=None, node=None
    )


@pytest.mark.parametrize(
    ("version", "build"),
    [
        pytest.param("8a4bcc/1.28.0-dev/Clean/RELEASE/BoringSSL", "1.28.0-dev", id="of-a-branch"),
        pytest.param("8a4bcc/unknown/Modified/DEBUG", None, id="unknown"),
    ],
)
def test_the_release_in_a_version(version: str, build: str | None) -> None:
    assert decode(b'{"version": "%s", "state": "DRAINING"}' % version.encode()).build == build


def test_camel_case_and_fields_left_out() -> None:
    said = decode(b'{"version": "a/1.2.3/b", "uptimeCurrentEpoch": "0.250s", "commandLineOptions": {"concurrency": 4}}')

    assert (said.state, said.uptime_s, said.concurrency) == ("LIVE", 0.25, 4)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        pytest.param(b" \n", "empty, where an answer of /server_info was expected", id="empty"),
        pytest.param(b"[]", "not an answer of /server_info: JSON that is no object", id="a-list"),
        pytest.param(b"{}", "not an answer of /server_info: JSON without a version", id="another-object"),
        pytest.param(
            b"upstream connect error",
            "not an answer of /server_info: text that begins 'upstream connect error'",
            id="error-text",
        ),
    ],
)
def test_what_is_refused(payload: bytes, why: str) -> None:
    with pytest.raises(NotTheFormError) as refused:
        decode(payload)

    assert str(refused.value) == why


def test_a_cut_answer_is_truncated() -> None:
    with pytest.raises(TruncatedError):
        decode(SAMPLE.read_bytes()[:3000])


@given(st.binary() | st.binary().map(lambda tail: b'{"version": "a/1.2.3/b", "node": ' + tail + b"}"))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    try:
        made = decode(payload)
    except NotTheFormError:
        return
    assert made.version


def test_the_corpus(corpus: Path) -> None:
    old = decode((corpus / "envoy_admin/server_info_before_1.9.txt").read_bytes())
    found = sorted(corpus.glob("bugreport/*/bug-report/proxies/*/*/server_info"))
    said = [decode(path.read_bytes()) for path in found]

    assert (old.build, old.state, old.uptime_s) == ("1.8.0", "LIVE", 581130.0)
    assert [(each.build, each.node and each.node.istio_version) for each in said] == [
        ("1.25.4-dev", "1.17.2"),
        ("1.28.0-dev", "1.20-dev"),
        ("1.26.0-dev", "1.18-dev"),
        ("1.28.0-dev", "1.20-dev"),
        ("1.27.0-dev", "1.19-dev"),
    ]
