"""The errors of meshforensics.

::

    MeshForensicsError            anything this package raises on purpose
    ├── UsageError                the caller's mistake: say what and give the cure
    │   └── UnknownNameError      a name that nothing declares; lists the known ones
    ├── SourceError               a path that cannot be read as evidence, or must not be
    ├── BundleError               a bundle that cannot be trusted: damaged, or of a newer schema
    ├── DeclarationError          a table, check, incident or importer that breaks a rule of this package
    └── NotTheFormError           bytes that do not have the form a decoder expects
        └── TruncatedError        bytes that begin with the form and end before it does

Trouble of one item never raises out of an import or an analysis: it becomes the item's status.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class MeshForensicsError(Exception):
    """Base of every error that this package raises on purpose."""


class UsageError(MeshForensicsError):
    """The caller asked for something that cannot be; the message says what can."""


class UnknownNameError(UsageError):
    """A name that nothing declares; says the nearest one, and which names there are."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = get_close_matches(name, names, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        super().__init__(f"no {what} {name!r}; {hint}there are: {', '.join(names)}")


class SourceError(MeshForensicsError):
    """A source that cannot be read as evidence, or that must not be: hostile, mixed, empty."""


class BundleError(MeshForensicsError):
    """A bundle that cannot be trusted: damaged, incomplete, or of a newer schema."""


class DeclarationError(MeshForensicsError):
    """A declaration (table, check, incident, importer, finding) that breaks a rule."""


class NotTheFormError(MeshForensicsError):
    """Bytes that do not have the form a decoder expects; the message is one clear sentence."""


class TruncatedError(NotTheFormError):
    """Bytes that begin with the right form and end in the middle of it."""
