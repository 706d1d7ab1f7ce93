"""What the repository promises beside its code: locks, environment, licence, layers, a test file for each module."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
CONDA = {
    "duckdb": "python-duckdb",
    "kubernetes": "python-kubernetes",
    "matplotlib": "matplotlib-base",
    "nbconvert": "nbconvert-core",
    "prometheus-client": "prometheus_client",
}
"""Names that conda-forge gives to packages of PyPI, where they differ."""

LOCKS = ("requirements.txt", "requirements-dev.txt")


def project() -> dict[str, Any]:
    """The project table of pyproject.toml."""
    made: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return made


def tracked(*patterns: str) -> list[Path]:
    """The files that git keeps, or would keep."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def name_of(requirement: str) -> str:
    """``pandas`` of ``pandas>=3.0``, in the normal form of names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!~;\[ ]", requirement)[0]).lower()


def test_conda_users_get_what_pyproject_names() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    wanted = {
        CONDA.get(name_of(each), name_of(each)) + each.removeprefix(re.split(r"[<>=]", each)[0])
        for each in project()["dependencies"]
    }

    assert set(environment["dependencies"]) == {f"python{project()['requires-python']}", "pip", *wanted}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())

    assert re.findall(r"https?://|--index|--extra-index|--find-links|@ ", text) == []
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert [entry.splitlines()[0] for entry in entries if not re.match(r"[\w.-]+(\[[\w,]+\])?==", entry)] == []


def _locked(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {
        name_of(name): version
        for name, version in re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([^\s;]+)", text, re.MULTILINE)
    }


def test_the_locks_hold_everything_that_pyproject_names() -> None:
    users, developers = _locked("requirements.txt"), _locked("requirements-dev.txt")
    named = {name_of(each) for each in project()["dependencies"]}
    wanted = {name_of(each) for each in project()["optional-dependencies"]["dev"]}

    assert named - set(users) == set()
    assert (named | wanted) - set(developers) == set()


def test_developers_have_the_versions_that_users_have() -> None:
    users, developers = _locked("requirements.txt"), _locked("requirements-dev.txt")

    assert {name: version for name, version in users.items() if developers.get(name) != version} == {}


def test_the_licence_is_there_whole() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")

    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert project()["license"] == "Apache-2.0"


def test_no_path_of_a_machine_and_no_private_key_is_committed() -> None:
    machine = re.compile(rb"/(?:work|home|Users)/[a-z][\w.-]*/(?:main|shared|[\w.-]+/(?:src|git))\b")
    key = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{64}")
    found = []
    for path in tracked():
        payload = path.read_bytes()
        found += [
            (str(path.relative_to(ROOT)), pattern.pattern) for pattern in (machine, key) if pattern.search(payload)
        ]

    assert found == []


def test_layers_hold() -> None:
    done = subprocess.run(
        ["lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, executable=_tool()
    )

    assert done.returncode == 0, done.stdout


def _tool() -> str:
    import sys

    return str(Path(sys.executable).parent / "lint-imports")


def _own_tests(room: Path, name: str) -> list[Path]:
    names = (f"test_{name}.py", f"test_{name.lstrip('_')}.py", f"test__{name.lstrip('_')}.py")
    return [path for each in names if (path := ROOT / "tests" / room / each).is_file()]


def test_every_public_module_has_a_test_file_and_every_room_has_some() -> None:
    """A private module is tested by its own file, or through the public one that it serves."""
    lacking = []
    for module in tracked("meshforensics/*.py"):
        room, name = module.relative_to(ROOT / "meshforensics").parent, module.stem
        if name.startswith("_"):
            found = list((ROOT / "tests" / room).glob("test_*.py"))
        elif room.name == "incidents":  # judged on whole cases, by id: see test_declarations
            found = list((ROOT / "tests" / "incidents").glob("test_*.py"))
        else:
            found = _own_tests(room, name)
        lacking += [] if found else [str(room / name)]

    assert [each for each in lacking if each not in {"__main__", "__init__"}] == []


def test_modules_and_functions_stay_small() -> None:
    long = []
    for module in tracked("meshforensics/*.py"):
        text = module.read_text(encoding="utf-8")
        if len(text.splitlines()) > 400:
            long.append((module.name, "", len(text.splitlines())))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
                size = (node.end_lineno or 0) - body[0].lineno + 1
                long += [(module.name, node.name, size)] if size > 40 else []

    assert long == []


def test_hooks_are_local() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))

    assert {repo["repo"] for repo in hooks["repos"]} == {"local"}
    assert {hook["id"] for repo in hooks["repos"] for hook in repo["hooks"]} >= {
        "ruff",
        "ruff-format",
        "mypy",
        "notebooks",
    }


def test_ci_runs_what_the_readme_says() -> None:
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert run.splitlines()[-1] == "make test"
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
