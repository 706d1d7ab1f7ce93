"""Envoy's /runtime."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.runtime import Runtime, RuntimeKey, decode
from meshforensics.model import NotTheFormError, TruncatedError

SAMPLE = Path(__file__).parents[1] / "data/admin-1.40/runtime"
OLD = "envoy.deprecated_features:envoy.config.listener.v3.Listener.hidden_envoy_deprecated_use_original_dst"


def test_a_real_answer_sorted_by_name() -> None:
    assert decode(SAMPLE.read_bytes()) == Runtime(
        ("global config", "admin"),
        (
            RuntimeKey(f"/entries/{OLD}", OLD, "true", "global config"),
            RuntimeKey(
                "/entries/overload.global_downstream_max_connections",
                "overload.global_downstream_max_connections",
                "2147483647",
                "global config",
            ),
            RuntimeKey(
                "/entries/re2.max_program_size.error_level",
                "re2.max_program_size.error_level",
                "32768",
                "global config",
            ),
        ),
    )


def test_the_strongest_layer_that_sets_a_key_is_named() -> None:
    said = decode(b'{"layers": ["a", "b"], "entries": {"x/y": {"layer_values": ["1", "2"], "final_value": "2"}}}')

    assert said.keys == (RuntimeKey("/entries/x~1y", "x/y", "2", "b"),)


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"entries": []}', b"nothing"])
def test_what_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


def test_a_cut_answer_is_truncated() -> None:
    with pytest.raises(TruncatedError):
        decode(SAMPLE.read_bytes()[:200])


@given(st.binary() | st.binary().map(lambda tail: b'{"layers": ["a"], "entries": {"k": ' + tail + b"}}"))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    try:
        made = decode(payload)
    except NotTheFormError:
        return
    assert isinstance(made.keys, tuple)
