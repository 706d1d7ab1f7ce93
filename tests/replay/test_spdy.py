"""SPDY/3.1 as kubectl speaks it, frame by frame."""

import json
import struct
import zlib
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

import pytest

from meshforensics.replay._conversation import Conversation
from meshforensics.replay._exec import Ran
from meshforensics.replay._pages import page
from meshforensics.replay._spdy import BrokenError, Spdy
from meshforensics.replay._state import State
from meshforensics.replay._streams import Forwarding, Running
from tests.replay.evidence import AT, write

WORDS = files("meshforensics.replay").joinpath("spdy3_dictionary.bin").read_bytes()
SYN_STREAM, SYN_REPLY, RST_STREAM, PING, DATA = 1, 2, 3, 6, 0


class Frame(NamedTuple):
    """One frame; of data, `kind` is 0."""

    kind: int
    stream: int
    last: bool
    body: bytes


class Peer:
    """The other end of a session."""

    def __init__(self, session: Spdy) -> None:
        self.session = session
        self._deflate = zlib.compressobj(zdict=WORDS)

    def open(self, stream: int, **headers: str) -> list[Frame]:
        """Open a stream."""
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            block += struct.pack(">I", len(name)) + name.encode() + struct.pack(">I", len(value)) + value.encode()
        packed = self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return self.control(SYN_STREAM, struct.pack(">IIBB", stream, 0, 0, 0) + packed)

    def control(self, kind: int, body: bytes) -> list[Frame]:
        """Send a control frame."""
        return self.send(struct.pack(">HHI", 0x8003, kind, len(body)) + body)

    def data(self, stream: int, body: bytes, *, last: bool = False) -> list[Frame]:
        """Send bytes on a stream."""
        return self.send(struct.pack(">II", stream, (int(last) << 24) | len(body)) + body)

    def send(self, frame: bytes) -> list[Frame]:
        """Send a frame byte by byte; what comes back."""
        said = b"".join(made for byte in frame for made in self.session.receive(bytes([byte])))
        return list(_frames(said))


def _frames(said: bytes) -> Iterator[Frame]:
    while said:
        head, size = struct.unpack(">II", said[:8])
        length = size & 0xFFFFFF
        body, said = said[8 : 8 + length], said[8 + length :]
        if head >> 31:
            yield Frame(head & 0xFFFF, struct.unpack(">I", body[:4])[0], False, body)
        else:
            yield Frame(DATA, head, bool(size >> 24), body)


@pytest.fixture(scope="module")
def state() -> State:
    """A state of the small bundle."""
    return State(write(), AT)


def forwarding(state: State) -> Peer:
    """A peer that forwards the admin port of a pod."""

    def open_port(port: int) -> Conversation | str:
        if port != 15000:
            return f"nobody listens on {port}"
        return Conversation(state, lambda method, target: page(state, "shop/web-0", port, method, target))

    return Peer(Spdy(Forwarding(open_port)))


def test_a_connection_is_answered_and_ended(state: State) -> None:
    peer = forwarding(state)

    opened = [
        *peer.open(1, streamtype="error", port="15000", requestid="0"),
        *peer.open(3, streamtype="data", port="15000", requestid="0"),
    ]
    said = peer.data(3, b"GET /clusters HTTP/1.1\r\nHost: x\r\n\r\n")
    ended = peer.data(3, b"", last=True)

    assert [(frame.kind, frame.stream) for frame in opened] == [(SYN_REPLY, 1), (SYN_REPLY, 3)]
    assert said[0].body.endswith(b"a::default_priority::max_connections::1\n")
    assert [(frame.stream, frame.last, frame.body) for frame in ended] == [(1, True, b""), (3, True, b"")]


@pytest.mark.parametrize(("port", "why"), [("80", b"nobody listens on 80"), ("x", b"port 'x' is no number")])
def test_a_port_that_is_none_is_said_on_the_error_stream(state: State, port: str, why: bytes) -> None:
    peer = forwarding(state)

    peer.open(1, streamtype="error", port=port, requestid="0")
    said = peer.open(3, streamtype="data", port=port, requestid="0")

    assert [(frame.stream, frame.last, frame.body) for frame in said[1:]] == [
        (1, False, why),
        (1, True, b""),
        (3, True, b""),
    ]


def test_a_ping_comes_back_and_a_stream_may_be_given_up(state: State) -> None:
    peer = forwarding(state)
    peer.open(1, streamtype="error", port="15000", requestid="0")
    peer.open(3, streamtype="data", port="15000", requestid="0")

    assert peer.control(PING, b"\x00\x00\x00\x07")[0].body == b"\x00\x00\x00\x07"
    assert peer.control(RST_STREAM, struct.pack(">II", 3, 5)) == []
    assert peer.data(3, b"GET / HTTP/1.1\r\n\r\n") == []


def test_an_exec_says_everything_once_its_streams_are_there() -> None:
    peer = Peer(Spdy(Running(Ran(out=b"x" * 40_000, err=b"oh", code=3), ["stdout", "stderr"])))

    early = [*peer.open(1, streamtype="error"), *peer.open(3, streamtype="stdin"), *peer.open(5, streamtype="stdout")]
    said = peer.open(7, streamtype="stderr")[1:]

    assert [frame.kind for frame in early] == [SYN_REPLY] * 3
    out = b"".join(frame.body for frame in said if frame.stream == 5)
    assert (out, [frame.body for frame in said if frame.stream == 7]) == (b"x" * 40_000, [b"oh", b""])
    assert json.loads(next(frame.body for frame in said if frame.stream == 1))["reason"] == "NonZeroExitCode"
    assert {frame.stream for frame in said if frame.last} == {1, 5, 7}
    assert peer.open(9, streamtype="stdout")[1:] == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(struct.pack(">IIBB", 1, 0, 0, 0) + b"no deflate", id="not-packed"),
        pytest.param(
            struct.pack(">IIBB", 1, 0, 0, 0)
            + zlib.compressobj(zdict=WORDS).compress(b"")
            + b"\x78\x9c\x03\x00\x00\x00\x00\x01",
            id="no-headers",
        ),
    ],
)
def test_what_is_no_spdy_ends_the_session(state: State, body: bytes) -> None:
    with pytest.raises(BrokenError):
        forwarding(state).control(SYN_STREAM, body)
