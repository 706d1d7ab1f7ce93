"""Times are read in the forms that captures write, and written in one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.model import UsageError, compact_time, format_time, parse_time

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        pytest.param("2026-11-23T12:00:00Z", NOON, id="rfc3339"),
        pytest.param("2026-11-23T13:00:00+01:00", NOON, id="another-zone"),
        pytest.param("20261123T120000Z", NOON, id="folder-name"),
        pytest.param("2026-11-23 12:00:00", NOON, id="no-zone-is-utc"),
        pytest.param("2026-11-23T12:00:00.123456789Z", NOON.replace(microsecond=123456), id="nanoseconds"),
    ],
)
def test_parse_time(text: str, at: datetime) -> None:
    assert parse_time(text) == at


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "20261123T256161Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        parse_time(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_written_time_is_read_back(at: datetime) -> None:
    assert parse_time(format_time(at) or "") == at


def test_compact_time() -> None:
    assert (compact_time(NOON), format_time(None)) == ("20261123T120000Z", None)
