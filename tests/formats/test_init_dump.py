"""Envoy's /init_dump. The sample is written after the form that Envoy's admin documentation gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.init_dump import AwaitedTarget, InitDump, decode
from meshforensics.model import NotTheFormError, TruncatedError

WAITS = b"""{"unready_targets_dumps": [
 {"name": "init manager Server", "target_names": ["target ClusterManager", "LDS"]},
 {"name": "init manager Listener-local-init-manager b 12", "target_names": ["RdsRouteConfigSubscription RDS init x"]}
]}"""


def test_what_is_awaited() -> None:
    assert decode(WAITS) == InitDump(
        (
            AwaitedTarget("/unready_targets_dumps/0/target_names/0", "Server", "target ClusterManager"),
            AwaitedTarget("/unready_targets_dumps/0/target_names/1", "Server", "LDS"),
            AwaitedTarget(
                "/unready_targets_dumps/1/target_names/0",
                "Listener-local-init-manager b 12",
                "RdsRouteConfigSubscription RDS init x",
            ),
        )
    )


@pytest.mark.parametrize("payload", [b"{}", b'{"unready_targets_dumps": []}'])
def test_nothing_is_awaited(payload: bytes) -> None:
    assert decode(payload) == InitDump(())


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"configs": []}', b"404"])
def test_what_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


def test_a_cut_answer_is_truncated() -> None:
    with pytest.raises(TruncatedError):
        decode(WAITS[:80])


@given(st.binary() | st.binary().map(lambda tail: b'{"unready_targets_dumps": [' + tail + b"]}"))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    try:
        made = decode(payload)
    except NotTheFormError:
        return
    assert all(each.pointer for each in made.targets)
