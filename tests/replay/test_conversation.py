"""The HTTP conversation that gives pages."""

from functools import partial

import h11
import pytest

from meshforensics.replay._conversation import Conversation
from meshforensics.replay._pages import page
from meshforensics.replay._state import State
from tests.replay.evidence import AT, write

WEB = "shop/web-0"


@pytest.fixture(scope="module")
def state() -> State:
    return State(write(), AT)


def test_a_conversation_answers_one_request_after_the_other(state: State) -> None:
    talk = Conversation(state, partial(page, state, WEB, 15000))

    first = talk.receive(b"GET /stats HTTP/1.1\r\nHost: x\r\n\r\nGET /ready HT")
    second = talk.receive(b"TP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert first.startswith(b"HTTP/1.1 200 \r\n")
    assert b"\r\ndate: Mon, 23 Nov 2026 18:48:12 GMT\r\n" in first
    assert first.endswith(b"server.live: 1\n")
    assert second.endswith(b"DRAINING\n")
    assert talk.over


def test_a_conversation_refuses_what_is_no_http(state: State) -> None:
    talk = Conversation(state, partial(page, state, WEB, 15000))

    said = talk.receive(b"\x16\x03\x01 hello\r\n\r\n")

    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    client.receive_data(said)
    event = client.next_event()
    assert isinstance(event, h11.Response)
    assert (event.status_code, talk.over) == (400, True)
