"""push_status lists what a push found wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.push_status import PushProblem, decode
from meshforensics.model import NotTheFormError


def test_problems() -> None:
    payload = b'{"pilot_no_ip": {"a/b": {"proxy": "web-1.shop", "message": "m"}}, "pilot_eds_no_instances": {"c": {}}}'

    assert decode(payload) == (
        PushProblem("pilot_no_ip", "a/b", "web-1.shop", "m", "/pilot_no_ip/a~1b"),
        PushProblem("pilot_eds_no_instances", "c", None, None, "/pilot_eds_no_instances/c"),
    )


@pytest.mark.parametrize("payload", [b"{}", b"null"])
def test_a_clean_push(payload: bytes) -> None:
    assert decode(payload) == ()


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"a": 1}', b"x"])
def test_what_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


@given(st.binary(max_size=50))
def test_any_bytes_are_refused_or_clean(payload: bytes) -> None:
    try:
        found = decode(payload)
    except NotTheFormError:
        return
    assert found == ()


@pytest.mark.shared
def test_public_one(corpus: Path) -> None:
    path = "bugreport/istio_2023-05/bug-report/istio/istio-system/istiod-7bf5f89d87-bmlhz/debug/push_status"

    assert [(each.metric, each.key) for each in decode((corpus / path).read_bytes())] == [
        ("pilot_eds_no_instances", "outbound|8443||gmp-operator.gke-gmp-system.svc.cluster.local")
    ]
