"""The version of this package."""

from meshforensics.model.version import __version__


def version() -> str:
    """The version, the same whether the package is installed or runs from a checkout."""
    return __version__
