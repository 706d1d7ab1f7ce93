"""What becomes of every file of a folder of public captures: rows, or one sentence that refuses it.

    make corpus-page

Each file is read alone, as `meshforensics triage FILE` would, and every table that reads its kind is built.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from meshforensics.formats.kubernetes import decode
from meshforensics.investigation import open_evidence
from meshforensics.model import MeshForensicsError
from meshforensics.tables import Tables, declared_tables

HEAD = """# What of the public captures is read

Made by `make corpus-page` of the files in `../shared/corpus`, which are not part of this repository. Each is read
alone, as `triage FILE` would: it gives rows of tables, or there is one sentence that says why not. Nothing else may
happen; `tests/corpus/test_corpus.py` holds that.

"""


@dataclass(frozen=True)
class Outcome:
    """One file: the kinds of its items, rows by table, or why it gave none."""

    file: str
    kinds: tuple[str, ...]
    rows: dict[str, int]
    refusal: str


def outcomes(folder: Path) -> Iterator[Outcome]:
    """What becomes of each file, sorted."""
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        yield outcome(file, str(file.relative_to(folder)))


def outcome(file: Path, name: str) -> Outcome:
    """What becomes of one file."""
    try:
        opened = open_evidence(file)
    except MeshForensicsError as error:
        return Outcome(name, (), {}, " ".join(str(error).replace(str(file), file.name).split()))
    bundle = opened.bundle
    kinds = tuple(sorted({item.kind for item in bundle.items}))
    tables = Tables(bundle, declared_tables(), None)
    reading = [each for each in declared_tables().values() if any(each.rows_function(kind) for kind in kinds)]
    rows = {each.id: len(tables.over_time(each.id)) for each in reading}
    refused = [why for each in reading for _, why in tables.state(each.id, over_time=True).not_decoded]
    problems = [f"{item.status.value}: {item.detail}" for item in bundle.items if item.status != "captured"]
    found = {each: count for each, count in rows.items() if count}
    unread = [] if reading else [f"kept whole; no table reads {', '.join(kinds)}"]
    why = [*refused, *problems, *unread] or ([] if found else [_decoded(kinds, file)])
    return Outcome(name, kinds, found, next(iter(why), ""))


def _decoded(kinds: tuple[str, ...], file: Path) -> str:
    """Why a file that was decoded gave no row."""
    if kinds != ("kubernetes.objects",):
        return "decoded; it says nothing that is a row"
    held = sorted({each.kind for each in decode(file.read_bytes())})
    return f"decoded; no table has rows for {', '.join(held[:5])}" if held else "decoded; an empty list"


def page(said: Iterable[Outcome]) -> str:
    """The page of the docs."""
    lines = [HEAD + "| file | kind | rows, or why there are none |", "|---|---|---|"]
    for each in said:
        rows = ", ".join(f"{table} {count}" for table, count in sorted(each.rows.items()))
        kinds = ", ".join(each.kinds[:3]) + (" …" if len(each.kinds) > 3 else "")
        lines.append(f"| `{each.file}` | {kinds or '-'} | {escaped(rows or each.refusal)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the page; a folder without files is an error, and leaves no page behind that says nothing."""
    said = list(outcomes(Path(sys.argv[1])))
    if not said:
        raise SystemExit(f"{sys.argv[1]} holds no file")
    print(page(said), end="")


def escaped(text: str) -> str:
    """Text that stays in its cell."""
    flat = " ".join(text.split())[:300]
    for sign in "\\|<>`*_[]":
        flat = flat.replace(sign, f"\\{sign}")
    return flat


if __name__ == "__main__":
    main()
