"""Every sentence of the guide that asks for a check has one, or says why not; what is named is there, and is tested."""

import ast
from pathlib import Path

import pytest

from tools.guide_coverage import ROOT, Sentence, known, sentences, those_testing

each_sentence = pytest.mark.parametrize("sentence", sentences(), ids=lambda each: f"lines-{each.lines}")


@each_sentence
def test_no_row_is_empty(sentence: Sentence) -> None:
    assert sentence.by or sentence.why
    assert sentence.asks
    assert sentence.place


@each_sentence
def test_what_checks_it_is_there_and_has_a_test(sentence: Sentence) -> None:
    assert [each for each in sentence.by if not known(each)] == []
    assert [each for each in sentence.by if not those_testing(each)] == []


@each_sentence
def test_the_tests_that_are_named_are_there(sentence: Sentence) -> None:
    for test in (test for each in sentence.by for test in those_testing(each)):
        path, _, name = test.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        if path.endswith(".py"):
            assert name in {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
        else:
            assert name in text


def test_rows_are_in_the_order_of_the_guide() -> None:
    first = [int(each.lines.split(",")[0].split("-")[0]) for each in sentences()]

    assert first == sorted(first)


def test_what_nothing_declares_is_not_known() -> None:
    assert not known("check:proxies.nope")
    assert not known("nope:proxies.nope")


def test_lines_are_those_of_the_guide() -> None:
    guide = Path(ROOT).parent / "shared" / "knowledge" / "guide.md"
    if not guide.is_file():
        return
    lines = guide.read_text(encoding="utf-8").splitlines()

    ends = [int(part.split("-")[-1]) for each in sentences() for part in each.lines.replace(" ", "").split(",")]
    assert [end for end in ends if not lines[end - 1].strip()] == []
