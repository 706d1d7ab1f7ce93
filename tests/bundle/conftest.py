"""A small bundle that tests write in every form."""

from collections.abc import Callable
from datetime import datetime

import pytest

from meshforensics.bundle import Bundle, BundleWriter
from meshforensics.model import Cause, Status, parse_time

AT = parse_time("2026-11-23T18:48:12.5Z")
BEFORE = parse_time("2026-11-23T18:47:41Z")

Write = Callable[[str], Bundle]


@pytest.fixture
def write() -> Write:
    """Writes the same evidence to any URL."""

    def made(url: str) -> Bundle:
        with BundleWriter(url, mesh="lab", layout="test", pseudonym_key=b"k" * 32) as writer:
            writer.plan([("envoy.certs", "shop/web-1", None), ("envoy.memory", "shop/web-1", AT)])
            fill(writer, AT)
            return writer.seal()

    return made


def fill(writer: BundleWriter, at: datetime) -> None:
    """Two captures of one proxy, a log, and three kinds of absence."""
    writer.add("envoy.certs", "shop/web-1", b'{"certificates": []}\n', captured_at=BEFORE, time_source="Date")
    writer.add("envoy.certs", "shop/web-1", b'{"certificates": [{}]}\n', captured_at=at, time_source="Date")
    writer.add("log.istio-proxy", "shop/web-1", b"one\ntwo\n", captured_at=at, time_source="Date")
    writer.add(
        "kubernetes.pods",
        "-",
        b'{"items": [',
        captured_at=at,
        time_source="Date",
        status=Status.PARTIAL,
        cause=Cause.TRUNCATED,
    )
    writer.miss("envoy.memory", "shop/web-1", status=Status.FAILED, cause=Cause.TIMEOUT, captured_at=at)
    writer.miss("istiod.syncz", "istio-system/istiod-1", status=Status.ABSENT, cause=None)
