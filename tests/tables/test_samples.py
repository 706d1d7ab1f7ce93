"""Samples: answers of Prometheus range queries."""

import json

from meshforensics.tables.samples import samples
from meshforensics.testing import rows_of

ANSWER = {
    "status": "success",
    "data": {
        "resultType": "matrix",
        "result": [{"metric": {"pod": "web-1"}, "values": [[1700000000, "1.5"], [1700000060, "NaN"]]}],
    },
}


def test_a_matrix_is_one_row_a_sample() -> None:
    rows = rows_of(samples, json.dumps(ANSWER).encode(), kind="prometheus.range", subject="memory")

    assert len(rows) == 2
    assert [str(row[3]) for row in rows] == ["2023-11-14 22:13:20+00:00", "2023-11-14 22:14:20+00:00"]
    assert rows[0][4] == 1.5
