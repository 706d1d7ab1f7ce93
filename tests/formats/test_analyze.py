"""Messages of istioctl analyze."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.analyze import Message, decode
from meshforensics.model import NotTheFormError


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(
            b"Error [IST0101] (VirtualService shop/web a.yaml:12) Referenced host not found: (x)",
            Message(
                "Error",
                "IST0101",
                "VirtualService",
                "shop",
                "web",
                "a.yaml:12",
                "Referenced host not found: (x)",
                "L1",
            ),
            id="with-its-file",
        ),
        pytest.param(
            b"Info [IST0102] (Namespace shop) The namespace is not enabled",
            Message("Info", "IST0102", "Namespace", None, "shop", None, "The namespace is not enabled", "L1"),
            id="cluster-scoped",
        ),
        pytest.param(
            b"Error [IST0001] An error",
            Message("Error", "IST0001", None, None, None, None, "An error", "L1"),
            id="about-nothing",
        ),
        pytest.param(
            b"Warning [IST0170] [east] (Service shop/web) differs",
            Message("Warning", "IST0170", "Service", "shop", "web", None, "differs", "L1"),
            id="of-one-cluster",
        ),
        pytest.param(
            b"Error [IST0106] (Gateway shop/a) two\nlines\nError: Analyzers found issues when analyzing x.\n",
            Message("Error", "IST0106", "Gateway", "shop", "a", None, "two\nlines", "L1-L2"),
            id="several-lines",
        ),
        pytest.param(
            b'[{"code":"IST0102","level":"Info","origin":"Namespace shop","message":"m","documentationUrl":"u"}]',
            Message("Info", "IST0102", "Namespace", None, "shop", None, "m", "/0"),
            id="json",
        ),
    ],
)
def test_message(line: bytes, message: Message) -> None:
    assert decode(line) == (message,)


def test_no_issue_is_no_message() -> None:
    assert decode("✔ No validation issues found when analyzing all namespaces.\n".encode()) == ()


@pytest.mark.parametrize("payload", [b"", b"Error: unable to connect", b'[{"a":1}]', b"[1]", b"[", b"\xff"])
def test_what_is_no_analysis_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


@pytest.mark.parametrize("archive", ["istio_2023-05", "istio_2023-09"])
def test_archives_list_what_the_corpus_expects(corpus: Path, archive: str) -> None:
    with (corpus / "bugreport" / f"{archive}_analyze_findings.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    said = (corpus / "bugreport" / archive / "bug-report/analyze/allNamespaces/allNamespaces").read_bytes()

    assert Counter((one.level, one.code, one.kind, one.namespace or "", one.name) for one in decode(said)) == Counter(
        (row["level"], row["code"], row["kind"], row["namespace"], row["name"]) for row in rows
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_or_refused(payload: bytes) -> None:
    try:
        made = decode(payload)
    except NotTheFormError:
        return
    assert all(one.code for one in made)
