"""Trust: which proxy holds which root of the mesh."""

from collections.abc import Iterator

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import keys, text, texts, where

_HOLDER = ("namespace", "pod", "captured_at")
_ROUND = pd.Timedelta(minutes=5)
_OF_THE_MESH = r"sds:ROOTCA\Z|sds:spiffe://|ztunnel:"
_CONTEXT = r"/ca_cert/\d+\Z|/cert_chain/\d+\Z"


def _trust(certificates: pd.DataFrame) -> pd.DataFrame:
    """Roots that a proxy judges other workloads by; where none is known as such, all of its roots.

    A summary of /certs counts only for a proxy whose roots are not known in full.
    """
    held = certificates[text(certificates["namespace"]) != ""]
    roots = held[held["role"] == "root"]
    whole = roots[roots["fingerprint"].notna()]
    chosen = _preferred(whole, text(whole["place"]).str.contains(_OF_THE_MESH))
    summaries = roots[roots["fingerprint"].isna()]
    rest = where(summaries, (not known for known in _known_in_full(summaries, whole)))
    both = pd.concat([chosen, _preferred(rest, _beside_an_identity(rest, held))])
    return both.drop_duplicates([*_HOLDER, "fingerprint", "serial"]).assign(
        root=lambda rows: _named_by_key(rows, roots)
    )


def _named_by_key(rows: pd.DataFrame, roots: pd.DataFrame) -> "pd.Series[str]":
    """What tells roots apart: the key; of a summary that of a certificate with its serial, else the serial."""
    full = roots[roots["spki"].notna()]
    keys_by_serial = dict(zip(texts(full["serial"]), texts(full["spki"]), strict=True))
    own, serial = text(rows["spki"]), text(rows["serial"])
    known = serial.map(lambda one: keys_by_serial.get(one, f"serial:{one}")).astype("str")
    return own.where(own != "", known)


def _known_in_full(summaries: pd.DataFrame, whole: pd.DataFrame) -> Iterator[bool]:
    """Of each summary, whether its proxy's certificates were captured in the same round.

    One round of a capture asks a proxy for one thing after the other, so its items differ by seconds.
    """
    rounds: dict[tuple[str, ...], list[pd.Timestamp]] = {}
    for holder, at in zip(keys(whole, "namespace", "pod"), whole["captured_at"], strict=True):
        rounds.setdefault(holder, []).append(at)
    for holder, at in zip(keys(summaries, "namespace", "pod"), summaries["captured_at"], strict=True):
        yield any(pd.isna(at) or pd.isna(one) or abs(at - one) <= _ROUND for one in rounds.get(holder, ()))


def _preferred(roots: pd.DataFrame, is_of_the_mesh: "pd.Series[bool]") -> pd.DataFrame:
    """Of each holder the roots of the mesh, or all where it has none."""
    having = set(keys(roots[is_of_the_mesh], *_HOLDER))
    other = pd.Series([holder not in having for holder in keys(roots, *_HOLDER)], index=roots.index, dtype=bool)
    return roots[is_of_the_mesh | other]


def _beside_an_identity(summaries: pd.DataFrame, held: pd.DataFrame) -> "pd.Series[bool]":
    """Whether the TLS context of a summary also shows a workload's own certificate."""
    leaves = held[held["fingerprint"].isna() & (held["role"] == "leaf")]
    own = where(leaves, (any(str(name).startswith("spiffe://") for name in names or ()) for names in leaves["san"]))
    contexts = set(_contexts(own))
    return pd.Series([each in contexts for each in _contexts(summaries)], index=summaries.index, dtype=bool)


def _contexts(rows: pd.DataFrame) -> list[tuple[str, str]]:
    pointers = text(rows["pointer"]).str.replace(_CONTEXT, "", regex=True)
    return list(zip(texts(rows["item"]), pointers, strict=True))


trust = Table(
    id="trust",
    about="Which proxy trusts which root of the mesh; by key where it was captured, else by serial.",
    of="pod",
    columns=(
        Column("fingerprint", "str", about="SHA-256 of the root's DER, hex; missing for a summary.", source="PEM"),
        Column("spki", "str", about="SHA-256 of the root's key, hex; missing for a summary.", source="PEM"),
        Column("root", "str", about="What tells roots apart: the key, else the serial.", source="computed"),
        Column("serial", "str", about="Serial of the root.", source="certificates"),
        Column("not_before", "datetime64[us, UTC]", about="Start of the root's validity.", source="certificates"),
        Column("not_after", "datetime64[us, UTC]", about="End of the root's validity.", source="certificates"),
        Column("place", "category", about="What holds it.", source="certificates"),
    ),
    derives=_trust,
)
