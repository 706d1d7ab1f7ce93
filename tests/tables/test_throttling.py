"""Throttling: an answer to its own query, and to no other."""

import json

from meshforensics.capture._prometheus import QUERIES
from meshforensics.tables.throttling import QUERY, throttling
from meshforensics.testing import rows_of, tables_of

ANSWER = json.dumps(
    {
        "status": "success",
        "data": {
            "resultType": "matrix",
            "result": [
                {
                    "metric": {"namespace": "istio-system", "pod": "istiod-1", "container": "discovery"},
                    "values": [[1700000000, "0.4"], [1700000060, "NaN"]],
                }
            ],
        },
    }
).encode()


def test_throttling_is_a_row_a_sample() -> None:
    rows = rows_of(throttling, ANSWER, kind="prometheus.range", subject=QUERY)

    assert [row[1:4] for row in rows] == [("istio-system", "istiod-1", "discovery")] * 2
    assert rows[0][5] == 0.4


def test_what_was_asked_for_something_else_says_nothing_of_throttling() -> None:
    tables = tables_of(("prometheus.range", "pushes", ANSWER))

    assert tables.frame("throttling").empty
    assert tables.state("throttling").reason == "not captured: throttling"


def test_a_capture_asks_for_it() -> None:
    assert QUERY in {query.id for query in QUERIES}
