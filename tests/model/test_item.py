"""An item says what became of it."""

import pytest

from meshforensics.model import Cause, DeclarationError, Item, Status, parse_time, pod_of


def test_id_names_kind_subject_and_time() -> None:
    item = Item(
        kind="envoy.certs",
        subject="shop/web-1",
        status=Status.CAPTURED,
        captured_at=parse_time("2026-11-23T12:00:00Z"),
    )

    assert item.id == "envoy.certs:shop/web-1@2026-11-23T12:00:00Z"


def test_what_is_not_there_says_why() -> None:
    with pytest.raises(DeclarationError, match="without a cause"):
        Item(kind="envoy.certs", subject="shop/web-1", status=Status.FAILED)

    assert Item(kind="x", subject="-", status=Status.FAILED, cause=Cause.EMPTY).id == "x:-@unknown"


@pytest.mark.parametrize(
    ("subject", "pod"),
    [("shop/web-1", ("shop", "web-1")), ("VirtualService:shop/user", None), ("-", None), ("shop/", None)],
)
def test_pod_of(subject: str, pod: tuple[str, str] | None) -> None:
    assert pod_of(subject) == pod
