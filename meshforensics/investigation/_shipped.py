"""The captures that ship with this package, wherever it is installed."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def captures() -> dict[str, Path]:
    """The shipped captures by their short paths, as ``captures/ca-rotation``."""
    inside, beside = PACKAGE / "_captures", PACKAGE.parent / "captures"
    folder = inside if inside.is_dir() else beside
    return {f"captures/{path.name}": path for path in sorted(folder.glob("[!.]*")) if path.is_dir()}


def shipped(path: str) -> str:
    """`path` itself where it leads somewhere, else the shipped capture of that short path, else `path`."""
    known = captures().get(path.rstrip("/"))
    return path if known is None or Path(path).exists() else str(known)
