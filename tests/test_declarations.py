"""Rules that every declaration of this package holds to, so that a review need not ask."""

import ast
import inspect
import re
import string
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from meshforensics.checks import Check, declared_checks
from meshforensics.checks._declare import CONTEXT
from meshforensics.importers import Importer, declared_importers
from meshforensics.incidents import Incident, declared_incidents
from meshforensics.profile import load_profile
from meshforensics.report import notebooks
from meshforensics.tables import Table, declared_tables

TESTS = Path(__file__).resolve().parent
ROOMS = TESTS.parent / "meshforensics"
PROFILES = ("default", "guide")

INCIDENTS = {
    "ca-rotation",
    "circuit-breaker-overflow",
    "config-rejected",
    "config-stale",
    "control-plane-overload",
    "healthy",
    "identity-mismatch",
    "leaf-expired",
    "memory-config-growth",
    "memory-leak",
    "memory-retention",
    "memory-traffic-growth",
    "mtls-mode-conflict",
    "no-healthy-upstream",
    "rate-limited",
    "rbac-denied",
    "root-expired",
    "route-shadowed",
    "route-to-missing-cluster",
    "upgrade-503",
    "upstream-connect-failure",
    "upstream-timeout",
}
KINDS = re.compile(
    r"envoy\.(config_dump|certs|clusters|listeners|server_info|memory|runtime|init_dump|stats|stats_prometheus)"
    r"|istiod\.(syncz|adsz|configz|registryz|endpointz|push_status|mesh|version|metrics)"
    r"|agent\.metrics|ztunnel\.(config_dump|metrics)|linkerd\.metrics|kubernetes\..+|log\..+|prometheus\.(range|alert)"
    r"|foreign\..+|unknown"
)

each_table = pytest.mark.parametrize("table", declared_tables().values(), ids=lambda each: each.id)
each_check = pytest.mark.parametrize("check", declared_checks().values(), ids=lambda each: each.id)
each_incident = pytest.mark.parametrize("incident", declared_incidents().values(), ids=lambda each: each.id)
each_importer = pytest.mark.parametrize("importer", declared_importers().values(), ids=lambda each: each.id)


def sentence(text: str) -> bool:
    """Whether `text` is a sentence: one line that ends with a full stop, or a list that is left open."""
    return text.endswith((".", "…")) and len(text) > 3 and text == " ".join(text.split())


def mirrored(room: str, module: str) -> str:
    """The text of the test file of a room's module; empty when there is none."""
    names = (f"test_{module}.py", f"test_{module.lstrip('_')}.py", f"test__{module.lstrip('_')}.py")
    found = [TESTS / room / name for name in names if (TESTS / room / name).is_file()]
    return found[0].read_text(encoding="utf-8") if found else ""


def modules(room: str, declared: type[Any]) -> dict[str, str]:
    """The ids that a room declares, with the module that declares each."""
    package = f"meshforensics.{room}."
    loaded = [module for name, module in sorted(sys.modules.items()) if name.startswith(package)]
    return {
        each.id: module.__name__.removeprefix(package)
        for module in loaded
        if "._" not in module.__name__
        for each in vars(module).values()
        if isinstance(each, declared)
    }


def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a function's parameters."""
    return tuple(inspect.signature(function).parameters)


def fields(template: str) -> set[str]:
    """The names that a ``{template}`` uses."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def spoken(function: Callable[..., Any]) -> set[str]:
    """The texts and keywords of a function and of what it uses of its room, however far: columns among them.

    Not of a declaration: one that names a column does not make it.
    """
    reached = [node for node in _reached(function.__module__, function.__name__) for node in ast.walk(node)]
    texts = {node.value for node in reached if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return texts | {node.arg for node in reached if isinstance(node, ast.keyword) and node.arg}


def _reached(module: str, name: str) -> list[ast.AST]:
    """What makes a name of a module, and every name of the room that it uses."""
    room, found, open_ends = module.rpartition(".")[0], {}, [(module, name)]
    while open_ends:
        at = open_ends.pop()
        made = _made(at[0]).get(at[1])
        if at in found or made is None:
            continue
        found[at] = made
        if isinstance(made, ast.ImportFrom):
            open_ends += [(made.module or "", at[1])] if (made.module or "").startswith(f"{room}._") else []
            continue
        open_ends += [(at[0], node.id) for node in ast.walk(made) if isinstance(node, ast.Name)]
    return list(found.values())


@cache
def _made(module: str) -> dict[str, ast.AST]:
    """What makes each name at the top of a module, without decorators."""
    found: dict[str, ast.AST] = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list = []
            found[node.name] = node
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: node for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {each.id: node for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    return found


def columns(tables: Iterable[str]) -> set[str]:
    """The columns of some tables."""
    return {column.name for name in tables for column in declared_tables()[name].all_columns}


# tables


@each_table
def test_a_table_says_what_it_holds(table: Table) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", table.id)
    assert sentence(table.about)
    assert [column.name for column in table.all_columns if not sentence(column.about)] == []
    assert [column.name for column in table.all_columns if not re.fullmatch(r"[a-z][a-z0-9_]*", column.name)] == []


@each_table
def test_a_table_reads_known_kinds_or_known_tables(table: Table) -> None:
    assert [kind for kind in table.reads if not KINDS.fullmatch(kind)] == []
    read = {name.removesuffix("_over_time") for name in (parameters(table.derives) if table.derives else ())}
    assert read - set(declared_tables()) == set()


@each_table
def test_a_column_that_is_read_says_where_its_values_come_from(table: Table) -> None:
    if table.reads:
        assert [column.name for column in table.columns if not column.source] == []


def test_a_column_name_has_one_dtype_everywhere() -> None:
    seen: dict[str, dict[str, list[str]]] = {}
    for table in declared_tables().values():
        for column in table.all_columns:
            dtype = "text" if column.dtype in {"category", "str"} else column.dtype
            seen.setdefault(column.name, {}).setdefault(dtype, []).append(table.id)

    assert {name: dtypes for name, dtypes in seen.items() if len(dtypes) > 1} == {
        "status": {
            "Int64": ["access_log", "calls", "counted_calls"],
            "text": ["xds_sync"],
        },  # the words of HTTP and of istioctl
        "count": {"Int64": ["events"], "UInt64": ["histograms"]},  # exact to 2^64-1
    }


@each_table
def test_a_number_has_a_unit_where_its_name_says_one(table: Table) -> None:
    units = {"_s": "s", "_ms": "ms", "_bytes": "bytes", "_m": "millicores"}
    wrong = [
        (column.name, column.unit)
        for column in table.columns
        for ending, unit in units.items()
        if column.dtype in {"Int64", "UInt64", "Float64"} and column.name.endswith(ending) and column.unit != unit
    ]

    assert wrong == []


@each_table
def test_a_table_has_cases_in_its_test_file(table: Table) -> None:
    module = modules("tables", Table)[table.id]

    assert re.search(rf"\b{table.id}\b", mirrored("tables", module)), f"tests/tables/test_{module}.py has no {table.id}"


# checks


@each_check
def test_a_check_is_its_own_page(check: Check) -> None:
    assert check.title[0].isupper() or check.title.startswith(("istiod ", "ztunnel "))
    assert not check.title.endswith(".")
    assert len(check.title) <= 80
    assert sentence(check.remediation)
    assert check.source
    assert check.detail
    assert check.by


@each_check
def test_what_a_check_counts_is_one_thing_or_several(check: Check) -> None:
    """``{count:pod has|pods have}``, never ``{count} pods``, which says "1 pods"."""
    assert re.findall(r"\{count\} (?!series)[a-z ]*?[a-z]+s\b", check.detail) == []


@each_check
def test_a_check_stands_in_the_module_of_its_family(check: Check) -> None:
    """The family's own, or one that is named after it and a topic: ``routing_objects``."""
    family = check.id.split(".", maxsplit=1)[0].replace("-", "_")

    assert re.fullmatch(rf"meshforensics\.checks\.{family}(?:_[a-z]+)*", check.rows.__module__)
    assert re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", check.id)


@each_check
def test_a_check_reads_declared_tables_and_context(check: Check) -> None:
    unknown = [each.name for each in check.parameters if each.table not in declared_tables() and each.table]

    assert unknown == []
    assert [each.name for each in check.parameters if not each.table and each.name not in CONTEXT] == []
    assert [each for each in check.parameters if each.table] != []


@each_check
def test_a_check_names_columns_that_its_rows_have(check: Check) -> None:
    read = columns(each.table for each in check.parameters if each.table)
    named = fields(check.detail) | set(check.by) | {check.observed} | fields(check.subject) - {""}

    assert named - read - spoken(check.rows) - {"count", "subject", ""} == set()


@each_check
@pytest.mark.parametrize("profile", PROFILES)
def test_a_threshold_is_known_to_every_profile(check: Check, profile: str) -> None:
    if check.threshold:
        assert load_profile(profile).threshold(check.threshold).levels


@each_check
def test_a_check_has_cases_in_its_test_file(check: Check) -> None:
    module = modules("checks", Check)[check.id]

    assert re.search(rf"\b{check.rows.__name__}\b", mirrored("checks", module)), (
        f"tests/checks/test_{module}.py has no {check.rows.__name__}"
    )


# profiles


def test_every_threshold_and_number_is_read_by_something() -> None:
    profile = load_profile()
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOMS.rglob("*.py")))

    assert [name for name in (*profile.thresholds, *profile.numbers) if f'"{name}"' not in code] == []


@pytest.mark.parametrize("name", PROFILES)
def test_every_threshold_and_number_has_unit_and_source(name: str) -> None:
    profile = load_profile(name)

    assert [key for key, each in profile.thresholds.items() if not (each.unit and each.source and each.levels)] == []
    assert [key for key, each in profile.numbers.items() if not (each.unit and each.source)] == []


# incidents


def test_incidents_are_those_that_are_defined() -> None:
    assert set(declared_incidents()) == INCIDENTS


@each_incident
def test_an_incident_says_what_it_is(incident: Incident) -> None:
    assert sentence(incident.about)
    assert incident.judge.__module__ == f"meshforensics.incidents.{incident.id.replace('-', '_')}"
    assert incident.notebook.removesuffix(".ipynb") in {"", *notebooks()}


@each_incident
def test_an_incident_has_cases_in_a_test_file(incident: Incident) -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in sorted((TESTS / "incidents").glob("test_*.py")))

    assert f'"{incident.id}"' in written, f"tests/incidents has no case of {incident.id}"


# importers


@each_importer
def test_an_importer_says_what_it_reads_and_has_a_test_file(importer: Importer) -> None:
    module = modules("importers", Importer)[importer.id]

    assert re.fullmatch(r"[a-z][a-z0-9-]*", importer.id)
    assert sentence(importer.about)
    assert mirrored("importers", module), f"there is no tests/importers/test_{module}.py"


# ids


def test_no_id_names_two_things() -> None:
    ids = [*declared_tables(), *declared_checks(), *declared_incidents(), *declared_importers()]

    assert sorted({each for each in ids if ids.count(each) > 1}) == []
