"""The page docs/guide-coverage.md: every sentence of the guide that asks for a check, what checks it, and its tests."""

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec
import yaml

from meshforensics.alerts import alerts
from meshforensics.checks import declared_checks
from meshforensics.guide import declared_topics
from meshforensics.incidents import declared_incidents
from meshforensics.recovery import declared_steps
from tools.guide_pages import link
from tools.recovery_page import cell

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
INTRODUCTION = """\
Each row is a sentence (or a line of code) of the debugging guide that asks for a check, with its lines in the guide, in
short words of ours; what here checks it, and the first test of each. A sentence that evidence alone cannot answer says
why. The rows are data (`tools/guide_sentences.yaml`); tests are found by what they name, and a test fails where a
check, an incident, an alert or a topic is not there or has none."""

JUDGEMENTS = "test_judgements.py"
"""Where the cases of most incidents are; named first."""


class Sentence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sentence of the guide that asks for a check.

    Attributes:
        lines: its lines in the guide.
        by: what checks it, as ``check:ID``, ``incident:ID``, ``alert:NAME``, ``guide:TOPIC`` or ``recover:STEP``.
        why: why evidence cannot answer it, or not all of it.
    """

    place: str
    lines: str
    asks: str
    by: tuple[str, ...] = ()
    why: str = ""


def sentences() -> tuple[Sentence, ...]:
    """Every such sentence, in the order of the guide."""
    payload = Path(__file__).with_name("guide_sentences.yaml").read_text(encoding="utf-8")
    return tuple(msgspec.convert(yaml.safe_load(payload), list[Sentence]))


@cache
def those_testing(named: str) -> tuple[str, ...]:
    """The tests of a check, an incident, an alert, a topic or a step, as ``tests/x/test_y.py::test_z``."""
    kind, _, name = named.partition(":")
    if kind == "check":
        check = declared_checks()[name]
        module = check.rows.__module__.rpartition(".")[2]
        return _naming(TESTS / "checks" / f"test_{module}.py", {check.rows.__name__, name})
    folder = {"incident": "incidents", "guide": "guide", "recover": "recovery", "alert": "alerts"}[kind]
    found = [one for path in _files(folder) for one in _naming(path, {name})]
    if kind == "alert":
        found += [
            f"{path.relative_to(ROOT)}::{name}"
            for path in sorted((TESTS / folder).glob("*.yaml"))
            if f"alertname: {name}\n" in path.read_text(encoding="utf-8")
        ]
    return tuple(found)


def _files(folder: str) -> list[Path]:
    return sorted((TESTS / folder).rglob("test_*.py"), key=lambda path: (path.name != JUDGEMENTS, path))


def _naming(path: Path, names: set[str]) -> tuple[str, ...]:
    """The tests of a file that name one of `names`, themselves or by a list that they are given."""
    tree = _parsed(path)
    lists = {
        target.id
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value and _names(node.value) & names
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    helpers = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("test_") and _names(node) & names
    }
    return tuple(
        f"{path.relative_to(ROOT)}::{node.name}"
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and _names(node) & (names | lists | helpers)
    )


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module(body=[], type_ignores=[])


def _names(node: ast.AST) -> set[str]:
    """Every name and text below a node."""
    return set(_spoken(node))


def _spoken(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def known(named: str) -> bool:
    """Whether something of that kind and name is declared."""
    kind, _, name = named.partition(":")
    declared: dict[str, Callable[[], Mapping[str, object]]] = {
        "check": declared_checks,
        "incident": declared_incidents,
        "alert": alerts,
        "guide": declared_topics,
        "recover": declared_steps,
    }
    return kind in declared and name in declared[kind]()


def text(note: str) -> str:
    """The page."""
    head = "| the guide | lines | asks for | checked by | tests |\n|---|---|---|---|---|"
    rows = [_row(each) for each in sentences()]
    return (
        "\n\n".join(["# What the guide asks for, and what checks it", note, INTRODUCTION, "\n".join([head, *rows])])
        + "\n"
    )


def _row(sentence: Sentence) -> str:
    by = ", ".join(map(link, sentence.by))
    why = f"{' · ' if by else ''}*{cell(sentence.why)}*" if sentence.why else ""
    shown = ", ".join(_shown(each) for each in _spread(sentence))
    return f"| {cell(sentence.place)} | {sentence.lines} | {cell(sentence.asks)} | {by}{why} | {shown} |"


def _spread(sentence: Sentence) -> list[str]:
    """The first test of each thing that checks the sentence; more would change with every test that is written."""
    return list(dict.fromkeys(found[0] for named in sentence.by if (found := those_testing(named))))


def _shown(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[`{name}`](../{path})"
