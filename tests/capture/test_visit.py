"""What a command printed is turned into the page's own answer."""

import pytest

from meshforensics.capture._reply import Reply
from meshforensics.capture._visit import as_asked


@pytest.mark.parametrize(
    ("printed", "status", "body"),
    [
        pytest.param(b"{}\n\n", 200, b"{}\n", id="one-newline-too-many"),
        pytest.param(b"{}\n", 200, b"{}", id="a-page-that-ends-without-one"),
        pytest.param(b"404 page not found\n\n", 404, b"404 page not found\n\n", id="istiod-has-no-such-page"),
        pytest.param(b"invalid path. admin commands are:\n /certs\n", 404, None, id="envoy-has-no-such-page"),
    ],
)
def test_what_pilot_agent_prints(printed: bytes, status: int, body: bytes | None) -> None:
    answer = as_asked(Reply(status=200, body=printed))

    assert answer.status == status
    assert body in {None, answer.body}


def test_what_broke_off_is_kept_as_it_is() -> None:
    broken = Reply(status=200, body=b"a\n", broken="exec ended without a status")

    assert as_asked(broken) == broken
