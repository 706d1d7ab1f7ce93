"""Verify a bundle: name every member that is damaged, missing or not part of it."""

from dataclasses import dataclass

from meshforensics.bundle import _bag
from meshforensics.bundle._reader import open_bundle
from meshforensics.bundle._store import Store, decompress, store_at
from meshforensics.model import BundleError


@dataclass(frozen=True, kw_only=True)
class Damage:
    """One member that is not as it was sealed."""

    member: str
    problem: str


def verify(url: str) -> list[Damage]:
    """Every damaged, missing or unexpected member of a bundle, sorted.

    Raises:
        BundleError: it cannot be opened as a bundle at all.
    """
    store = store_at(url)
    names = set(store.names())
    if _bag.TAGS not in names and "journal.jsonl" in names:
        return [Damage(member=_bag.TAGS, problem="missing: the writer was stopped before it sealed the bundle")]
    expected = {**_sums(store, names, _bag.TAGS), **_sums(store, names, _bag.MANIFEST)}
    found = [_problem(store, name, digest, names) for name, digest in expected.items()]
    stray = [
        Damage(member=name, problem="is not part of the bundle")
        for name in names - {*expected, _bag.TAGS, _bag.MANIFEST, "journal.jsonl"}
    ]
    return sorted([*(each for each in found if each), *stray, *_contents(url, found)], key=lambda each: each.member)


def _sums(store: Store, names: set[str], manifest: str) -> dict[str, str]:
    return _bag.read_sums(store.raw(manifest)) if manifest in names else {manifest: ""}


def _problem(store: Store, name: str, digest: str, names: set[str]) -> Damage | None:
    if name not in names:
        return Damage(member=name, problem="missing")
    try:
        same = _bag.digest(store.raw(name)) == digest
    except BundleError as error:
        return Damage(member=name, problem=str(error))
    return None if same else Damage(member=name, problem="damaged: SHA-256 differs")


def _contents(url: str, found: list[Damage | None]) -> list[Damage]:
    """Members whose content is not what the manifest says, though the bag's sums hold."""
    bad = {each.member for each in found if each}
    if "manifest.json" in bad:
        return []
    bundle = open_bundle(url)
    made = []
    for item in bundle.items:
        if item.path and item.path not in bad:
            content = decompress(bundle.store.raw(item.path), item.path)
            if _bag.digest(content) != item.sha256:
                made.append(Damage(member=item.path, problem="is not what manifest.json says (SHA-256 differs)"))
    return made
