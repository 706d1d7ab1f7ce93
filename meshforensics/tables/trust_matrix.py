"""The trust matrix: which proxies can verify which others, by the sets of roots they hold and the chains they show."""

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables.tls_pairs import Identity, Proxy, identities_of, verified_by


def _matrix(certificates: pd.DataFrame) -> pd.DataFrame:
    """A row per group that judges and group that is judged; who holds the same is one group, so that it stays small."""
    held = identities_of(certificates)
    judges: dict[tuple[str, ...], list[Proxy]] = {}
    for proxy, identity in sorted(held.items()):
        if identity.roots:
            judges.setdefault(identity.roots, []).append(proxy)
    shown: dict[tuple[tuple[bool, str], ...], list[Proxy]] = {}
    for proxy, identity in sorted(held.items()):
        if identity.leaf:
            verdicts = (verified_by(identity, roots) for roots in judges)
            said = tuple((each.verified, each.reason) for each in verdicts)
            shown.setdefault(said, []).append(proxy)
    at = certificates["captured_at"].max() if len(certificates) else pd.NaT
    rows = [
        _row(at, held, group, proxies, said[number], shows)
        for number, (group, proxies) in enumerate(judges.items())
        for said, shows in shown.items()
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _row(
    at: object,
    held: dict[Proxy, Identity],
    roots: tuple[str, ...],
    judges: list[Proxy],
    said: tuple[bool, str],
    shows: list[Proxy],
) -> tuple[object, ...]:
    first = held[shows[0]]
    return (
        at,
        verified_by(first, roots).roots,
        tuple("/".join(proxy) for proxy in judges),
        tuple("/".join(proxy) for proxy in shows),
        said[0],
        said[1] or None,
        first.item,
        first.pointer,
    )


trust_matrix = Table(
    id="trust_matrix",
    about="Which group of proxies verifies the leaves of which other, by key, whether they call each other or not.",
    of="mesh",
    columns=(
        Column("roots", "str", about="Serials of the roots that those who judge hold.", source="certificates"),
        Column("judges", "object", about="Proxies that hold just these roots, as tuple.", source="certificates"),
        Column(
            "shows", "object", about="Proxies whose chains are alike to all that judge, as tuple.", source="computed"
        ),
        Column("verified", "boolean", about="Those who judge verify the leaves of those who show.", source="computed"),
        Column("reason", "str", about="Why a leaf does not verify.", source="computed"),
    ),
    derives=_matrix,
)

_COLUMNS = [column.name for column in trust_matrix.all_columns]
