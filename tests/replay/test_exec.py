"""Commands that give pages."""

from functools import partial

import pytest

from meshforensics.replay._exec import Ran, run
from meshforensics.replay._pages import page
from meshforensics.replay._state import State
from tests.replay.evidence import AT, write

WEB, ISTIOD = "shop/web-0", "istio-system/istiod-1"


@pytest.fixture(scope="module")
def state() -> State:
    return State(write(), AT)


@pytest.mark.parametrize(
    ("subject", "command", "ran"),
    [
        (WEB, "pilot-agent request GET stats?filter=live", Ran(out=b"server.live: 1\n\n")),
        (ISTIOD, "pilot-discovery request GET /debug/syncz", Ran(out=b"[]\n")),
        (ISTIOD, "pilot-agent request --debug-port 15014 GET debug/syncz", Ran(out=b"[]\n")),
        (ISTIOD, "pilot-agent request --debug-port=15014 GET debug/syncz", Ran(out=b"[]\n")),
    ],
)
def test_exec_gives_the_page(state: State, subject: str, command: str, ran: Ran) -> None:
    assert run(partial(page, state), subject, command.split()) == ran


@pytest.mark.parametrize(
    ("command", "code"),
    [("pilot-agent request GET certs", 1), ("pilot-agent request POST logging", 1), ("cat /etc/passwd", 126)],
)
def test_exec_of_anything_else_fails_as_the_command_would(state: State, command: str, code: int) -> None:
    ran = run(partial(page, state), WEB, command.split())

    assert (ran.code, ran.out) == (code, b"")
    assert ran.err.endswith(b"\n")
