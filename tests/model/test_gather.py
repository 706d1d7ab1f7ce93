"""A room's declarations are found by looking; none vanishes silently."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from meshforensics.model import DeclarationError, gather


@dataclass(frozen=True)
class Thing:
    """Something that is declared."""

    id: str


Room = Callable[..., ModuleType]
HEAD = f"from {__name__} import Thing\n"


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    """Makes a package of modules, by name and text."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def made(**modules: str) -> ModuleType:
        name = f"room_{tmp_path.name}"
        (tmp_path / name).mkdir()
        for module, text in {"__init__": "", **modules}.items():
            (tmp_path / name / f"{module}.py").write_text(text)
        for loaded in [each for each in sys.modules if each.partition(".")[0] == name]:
            monkeypatch.delitem(sys.modules, loaded)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    return made


def test_everything_is_found_sorted_by_id(room: Room) -> None:
    found = gather(room(two=f"{HEAD}b = Thing('b')\nc = Thing('a')\n", one=f"{HEAD}x = Thing('c')\n"), Thing)

    assert [(name, each.id) for name, each in found.items()] == [("a", "a"), ("b", "b"), ("c", "c")]


def test_a_private_module_is_not_looked_at(room: Room) -> None:
    assert list(gather(room(one=f"{HEAD}x = Thing('x')\n", _two="raise RuntimeError"), Thing)) == ["x"]


def test_a_module_that_declares_nothing_is_an_error(room: Room) -> None:
    with pytest.raises(DeclarationError, match=r"room_.*\.empty declares no Thing"):
        gather(room(empty=""), Thing)


def test_an_id_used_twice_is_an_error_that_names_both(room: Room) -> None:
    with pytest.raises(DeclarationError, match=r"'x' is declared by room_.*\.one and by room_.*\.two"):
        gather(room(one=f"{HEAD}x = Thing('x')\n", two=f"{HEAD}y = Thing('x')\n"), Thing)


def test_a_module_that_does_not_import_is_an_error(room: Room) -> None:
    with pytest.raises(ImportError):
        gather(room(broken="import nothing_of_that_name"), Thing)


def test_what_one_module_takes_from_another_is_declared_once(room: Room) -> None:
    made = room(one=f"{HEAD}x = Thing('x')\n")
    (Path(str(made.__file__)).parent / "two.py").write_text(f"from {made.__name__}.one import x\n")

    assert list(gather(made, Thing)) == ["x"]
