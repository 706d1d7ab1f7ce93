"""The version of this package."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> str:
    """The installed version; ``unknown`` where the package runs without being installed."""
    try:
        return installed("meshforensics")
    except PackageNotFoundError:
        return "unknown"
