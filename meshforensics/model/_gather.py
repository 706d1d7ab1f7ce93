"""Find what a room declares, by looking, so that nothing has to be registered."""

import importlib
import pkgutil
from types import ModuleType
from typing import Protocol, TypeVar

from meshforensics.model.errors import DeclarationError


class _Declared(Protocol):
    @property
    def id(self) -> str: ...


D = TypeVar("D", bound=_Declared)


def gather(room: ModuleType, kind: type[D]) -> dict[str, D]:
    """Everything of `kind` that the room's public modules declare, by id, sorted; packages in it declare nothing.

    Raises:
        DeclarationError: a public module declares nothing of `kind`, or an id is used twice.
        ImportError: a module does not import; a declaration must never vanish silently.
    """
    found: dict[str, tuple[str, D]] = {}
    for info in sorted(pkgutil.iter_modules(room.__path__), key=lambda each: each.name):
        if info.ispkg or info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{room.__name__}.{info.name}")
        own = [each for each in vars(module).values() if isinstance(each, kind)]
        if not own:
            raise DeclarationError(f"{module.__name__} declares no {kind.__name__}")
        for each in own:
            earlier = found.get(each.id)
            if earlier is not None and earlier[1] is not each:
                raise DeclarationError(f"{each.id!r} is declared by {earlier[0]} and by {module.__name__}")
            found[each.id] = (module.__name__, each)
    return {name: found[name][1] for name in sorted(found)}
