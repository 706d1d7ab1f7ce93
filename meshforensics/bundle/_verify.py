"""Verify a bundle: name every member that is damaged, missing or not part of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from meshforensics.bundle import _bag
from meshforensics.bundle._manifest import identity
from meshforensics.bundle._reader import Bundle, open_bundle
from meshforensics.bundle._store import Store, store_at
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
        return _unsealed(url, names)
    tags, payload = _sums(store, names, _bag.TAGS), _sums(store, names, _bag.MANIFEST)
    found = [_problem(store, name, digest, names) for name, digest in {**tags, **payload}.items()]
    found += [_problem(store, name, "", names) for name in (_bag.TAGS, _bag.MANIFEST)]
    if payload:
        stray = names - {*tags, *payload, *_TAG_FILES}
        found += [Damage(member=name, problem="is not part of the bundle") for name in stray]
    known = {each.member: each for each in found if each}
    return sorted((_contents(url, names, known) | known).values(), key=lambda each: each.member)


def _unsealed(url: str, names: set[str]) -> list[Damage]:
    """That the writer was stopped, and each member that is not what its journal says."""
    stopped = Damage(member=_bag.TAGS, problem="missing: the writer was stopped before it sealed the bundle")
    return [stopped, *(damage for _, damage in sorted(_unread(open_bundle(url), names, {}).items()))]


_TAG_FILES = {_bag.TAGS, _bag.MANIFEST, "bagit.txt", "bag-info.txt", "manifest.json", "journal.jsonl"}


def _sums(store: Store, names: set[str], manifest: str) -> dict[str, str]:
    """What a manifest of sums says; nothing where it is missing or cannot be read."""
    try:
        return _bag.read_sums(store.raw(manifest)) if manifest in names else {}
    except BundleError:
        return {}


def _problem(store: Store, name: str, digest: str, names: set[str]) -> Damage | None:
    """What is wrong with a member; an empty `digest` asks only whether it can be read."""
    if name not in names:
        return Damage(member=name, problem="missing")
    try:
        same = digest in {"", _bag.digest(store.raw(name))}
    except BundleError as error:
        return Damage(member=name, problem=f"damaged: {error}")
    return None if same else Damage(member=name, problem="damaged: SHA-256 differs")


def _contents(url: str, names: set[str], known: Mapping[str, Damage]) -> dict[str, Damage]:
    """Members whose content is not what ``manifest.json`` says, though the bag's sums hold."""
    if "manifest.json" in known:
        return {}
    bundle = open_bundle(url)
    made = _unread(bundle, names, known)
    if identity(bundle.items) != bundle.id:
        made["manifest.json"] = Damage(member="manifest.json", problem="its id is not that of its items")
    return made


def _unread(bundle: Bundle, names: set[str], known: Mapping[str, Damage]) -> dict[str, Damage]:
    """Members that are not there, or whose content is not what the list of items says."""
    made = {}
    for item in bundle.items:
        if item.path and item.path not in names:
            made[item.path] = Damage(member=item.path, problem="missing")
        elif item.path and item.path not in known:
            try:
                bundle.read(item)
            except BundleError as error:
                made[item.path] = Damage(member=item.path, problem=str(error))
    return made
