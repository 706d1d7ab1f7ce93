"""Whether several reports are of one mesh."""

from collections.abc import Mapping

from meshforensics.model import SourceError


def same_mesh(meshes: Mapping[str, str]) -> str:
    """The one mesh that the reports name; empty when none does.

    A report that does not say is taken for one of the same mesh: a lone admin file names none.

    Raises:
        SourceError: two reports name different meshes; the message names both.
    """
    named = {mesh: who for who, mesh in meshes.items() if mesh}
    if len(named) > 1:
        first, second = list(named.values())[:2]
        raise SourceError(
            f"reports of different meshes cannot be one bundle: {first} and {second}; import each alone"
        )
    return next(iter(named), "")
