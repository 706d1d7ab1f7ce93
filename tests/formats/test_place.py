"""Places in captured bytes are found verbatim."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.place import excerpt, span
from meshforensics.model import NotTheFormError

JSON = b'{\n "configs": [\n  {"name": "a/b", "n": 1},\n  {"x~y": {"z": [1, 2]}}\n ]\n}\n'
YAML = b"kind: List\nitems:\n- name: a\n  data:\n    k: v\n- name: b\n---\nkind: Two\n"
SEVERAL = '{"k": "é"}\n\n [1, {"b": 2}] {"kind": "Three", "n": {"m": [7]}}\n'.encode()
TEXT = b"one\ntwo\r\nthree\nfour"


@pytest.mark.parametrize(
    ("payload", "pointer", "marked"),
    [
        pytest.param(JSON, "/configs/0", '{"name": "a/b", "n": 1}', id="json-element"),
        pytest.param(JSON, "/configs/1/x~0y/z/1", "2", id="json-escaped-step"),
        pytest.param(JSON, "", JSON.decode(), id="whole"),
        pytest.param(YAML, "/items/1", "name: b", id="yaml-item"),
        pytest.param(YAML, "/items/0/data/k", "v", id="yaml-scalar"),
        pytest.param(YAML, "#doc2/kind", "Two", id="second-document"),
        pytest.param(SEVERAL, "/k", '"é"', id="first-of-several-json"),
        pytest.param(SEVERAL, "#doc2/1/b", "2", id="second-of-several-json"),
        pytest.param(SEVERAL, "#doc3/n/m/0", "7", id="third-of-several-json"),
        pytest.param(SEVERAL, "#doc3", '{"kind": "Three", "n": {"m": [7]}}', id="a-whole-json-document"),
        pytest.param(TEXT, "L2", "two", id="line-without-its-end"),
        pytest.param(TEXT, "L2-L4", "two\r\nthree\nfour", id="lines"),
        pytest.param(JSON, "/configs/0/name#pem2", '"a/b"', id="pem-block-of-a-value"),
    ],
)
def test_place(payload: bytes, pointer: str, marked: str) -> None:
    assert excerpt(payload, pointer).marked == marked


@pytest.mark.parametrize(
    ("payload", "pointer"),
    [
        (JSON, "/configs/2"),
        (JSON, "/nothing"),
        (YAML, "#doc3/kind"),
        (SEVERAL, "#doc4/k"),
        (SEVERAL, "#doc2/2"),
        (TEXT, "L9"),
    ],
)
def test_a_place_that_is_not_there_is_said(payload: bytes, pointer: str) -> None:
    with pytest.raises(NotTheFormError):
        span(payload, pointer)


def test_excerpt_has_its_line_and_surroundings() -> None:
    found = excerpt(JSON, "/configs/1")

    assert (found.line, found.before.splitlines()[-1], found.after) == (4, "  ", "\n ]\n}\n")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.text(), _VALUES, min_size=1), st.integers(0, 3))
def test_the_span_of_a_json_value_is_that_value(document: dict[str, object], indent: int) -> None:
    payload = json.dumps(document, ensure_ascii=False, indent=indent).encode("utf-8", "surrogatepass")
    for key, value in document.items():
        start, end = span(payload, "/" + key.replace("~", "~0").replace("/", "~1"))

        assert json.loads(payload[start:end]) == value
