"""kubectl's tables, aligned and not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.kubectl import TextRow, age_seconds, decode, restarts_of
from meshforensics.model import NotTheFormError

DATA = Path(__file__).parent.parent / "data" / "kubernetes"


def test_events_printed_unaligned() -> None:
    made = decode((DATA / "events").read_bytes())

    assert len(made) == 4
    assert made[3] == TextRow(
        "L5",
        {
            "NAMESPACE": "istio-system",
            "LAST SEEN": "30s",
            "TYPE": "Normal",
            "REASON": "ScalingReplicaSet",
            "OBJECT": "deployment/istiod",
            "SUBOBJECT": "",
            "SOURCE": "deployment-controller",
            "MESSAGE": "Scaled up replica set istiod-6f9c7d5b8d to 1",
            "FIRST SEEN": "30s",
            "COUNT": "1",
            "NAME": "istiod.180338527f8acae6",
        },
    )


def test_top_pods() -> None:
    made = decode((DATA / "top-pods").read_bytes())

    assert [(row.pointer, row.cells["POD"], row.cells["MEMORY(bytes)"]) for row in made] == [
        ("L2", "seats-v1-c49cvfc48-z44rb", "118Mi"),
        ("L3", "booking-v1-qkd7rw5nn-rgkqj", "125Mi"),
        ("L4", "search-v1-8tp7tcpsp-hfbpq", "81Mi"),
        ("L5", "web-v1-ps5wkm5dt-k66f6", "74Mi"),
    ]


def test_an_empty_cell_of_an_aligned_table_stays_empty() -> None:
    table = b"OBJECT    SUBOBJECT   MESSAGE\npod/a                 it  said\n"

    assert [row.cells for row in decode(table)] == [
        {"OBJECT": "pod/a", "SUBOBJECT": "", "MESSAGE": "it  said"},
    ]


def test_messages_with_runs_of_blanks_stay_whole() -> None:
    table = b"TYPE   MESSAGE   COUNT\nWarning   one  two   three   7\n"

    assert [row.cells for row in decode(table)] == [{"TYPE": "Warning", "MESSAGE": "one  two  three", "COUNT": "7"}]


def test_several_tables_in_one_text() -> None:
    table = b"NAME    READY\npod/a   1/1\n\nNAME          TYPE\nservice/web   ClusterIP\n"

    assert decode(table) == (
        TextRow("L2", {"NAME": "pod/a", "READY": "1/1"}),
        TextRow("L5", {"NAME": "service/web", "TYPE": "ClusterIP"}),
    )


def test_nothing_found_is_an_empty_table() -> None:
    assert decode(b"No resources found in shop namespace.\n") == ()


@pytest.mark.parametrize(
    "payload", [b"", b"\n\n", b"error: the server doesn't have it", b"shop   web-1   1/1   Running"]
)
def test_what_has_no_header_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("7m24s", 444), ("3d", 259200), ("2y35d", 66096000), ("<unknown>", None), ("", None), ("5x", None)],
)
def test_age(text: str, seconds: int | None) -> None:
    assert age_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "restarts"),
    [("0", (0, None)), ("2121 (3m17s ago)", (2121, 197)), ("-", (None, None))],
)
def test_restarts(text: str, restarts: tuple[int | None, int | None]) -> None:
    assert restarts_of(text) == restarts


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_refused(payload: bytes) -> None:
    try:
        made = decode(b"NAME   READY\n" + payload)
    except NotTheFormError:
        return
    assert all(row.cells for row in made)


@given(
    st.lists(
        st.tuples(
            *[st.text(st.characters(codec="ascii", min_codepoint=97, max_codepoint=122), min_size=1, max_size=9)] * 3
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_printed_aligned_is_read_back(cells: list[tuple[str, str, str]]) -> None:
    table = [("NAME", "LAST SEEN", "TYPE"), *cells]
    widths = [max(len(row[column]) for row in table) + 3 for column in range(3)]
    printed = "\n".join("".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)

    assert [tuple(row.cells.values()) for row in decode(printed.encode())] == cells
