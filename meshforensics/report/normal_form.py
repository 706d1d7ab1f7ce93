"""One normal form of committed notebooks: ``python -m meshforensics.report.normal_form notebooks/*.ipynb``.

No outputs, no counts, sorted keys, cell ids that stay (the cell's id where it is a word, else its place).
Exits 1 when it changed a file, as a pre-commit hook should.
"""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_RANDOM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?")
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def normal_form(text: str) -> str:
    """The notebook `text` in normal form; doing it twice changes nothing more."""
    notebook = json.loads(text)
    cells = [_cell(cell, number) for number, cell in enumerate(notebook["cells"], start=1)]
    made = {
        "cells": cells,
        "metadata": {"kernelspec": _KERNEL, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _cell(cell: dict[str, Any], number: int) -> dict[str, Any]:
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    tags = cell.get("metadata", {}).get("tags", [])
    identity = cell.get("id", "")
    made: dict[str, Any] = {
        "cell_type": cell["cell_type"],
        "id": f"cell-{number:02d}" if not identity or _RANDOM.fullmatch(identity) else identity,
        "metadata": {"tags": sorted(tags)} if tags else {},
        "source": source.rstrip("\n").splitlines(keepends=True),
    }
    if cell["cell_type"] == "code":
        made |= {"execution_count": None, "outputs": []}
    return made


def main(paths: Sequence[str]) -> int:
    """Bring each notebook into normal form; the number of files changed, at most 1."""
    changed = 0
    for path in map(Path, paths):
        text = path.read_text(encoding="utf-8")
        wanted = normal_form(text)
        if text != wanted:
            path.write_text(wanted, encoding="utf-8")
            changed = 1
    return changed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
