"""The trust matrix: who can verify whom."""

from meshforensics.model.words import noun
from meshforensics.report._blocks import Beside, Block, Cell, Content, Head, Matrix, Paragraph, Row, Table
from meshforensics.report._calls import short_names
from meshforensics.report._case import Case
from meshforensics.report._trust import Root, roots, trusted, verified
from meshforensics.report._words import count, listed
from meshforensics.report.sections._section import section

MOST = 16
"""Pods of a matrix; a larger mesh is shown by its groups of like pods."""


@section
def trust(case: Case) -> Content:
    """Which proxies trust which roots, and which pairs that lets verify."""
    known = roots(case)
    if not known:
        why = case.reason("trust") or "no proxy's trust set was captured"
        said = f"Which roots proxies trust is not known: {why}."
        return Content(anchor="trust", title="Trust: not captured", blocks=(Paragraph(text=said),))
    if len(known) == 1:
        said = (
            f"All {count(len(known[0].holders), 'proxy')} whose trust set was captured trust one root, "
            f"serial {known[0].serial}. So no two of them can fail for want of a common root."
        )
        return Content(anchor="trust", title="Trust: one root for all", blocks=(Paragraph(text=said),))
    blocks: tuple[Block, ...] = (_holders(known), *_matrix(case, known))
    return Content(anchor="trust", title=_title(known), blocks=blocks)


def _title(known: tuple[Root, ...]) -> str:
    sets = sorted(set(trusted(known).values()))
    disjoint = any(not set(one) & set(other) for one in sets for other in sets)
    said = "groups of proxies share no root" if disjoint else "every two groups share a root"
    return f"Trust: {count(len(known), 'root')}, {count(len(sets), 'trust set')}; {said}"


def _holders(known: tuple[Root, ...]) -> Table:
    total = len({holder for root in known for holder in root.holders})
    names = short_names(holder for root in known for holder in root.holders)
    rows = tuple(
        Row(
            cells=(
                f"{root.sign} {root.serial}",
                f"{len(root.holders)} of {total}",
                listed([names[holder] for holder in root.holders], 8),
            )
        )
        for root in known
    )
    heads = (Head(text="Root, by serial"), Head(text="Trusted by", number=True), Head(text="Proxies"))
    return Table(heads=heads, rows=rows)


def _matrix(case: Case, known: tuple[Root, ...]) -> tuple[Beside, ...]:
    signs = trusted(known)
    pods = sorted(signs, key=lambda pod: (signs[pod], pod))
    if len(pods) > MOST:
        said = f"{len(pods)} proxies are too many for a matrix of pairs; the table above groups them by root."
        return (Beside(blocks=(Paragraph(text=said),), notes=()),)
    names, judged = short_names(pods), verified(case)
    cells = tuple(tuple(_cell(caller, server, signs, judged) for server in pods) for caller in pods)
    looks = [cell.look for row in cells for cell in row]
    fails, pairs = sum("fails" in look for look in looks), len(pods) * (len(pods) - 1)
    caption = (
        f"{fails} of {count(pairs, 'pair')} {noun(fails, 'has', 'have')} no root in common or cannot "
        f"verify; {len(judged)} may call each other"
    )
    matrix = Matrix(caption=caption, names=tuple(f"{names[pod]} {signs[pod]}" for pod in pods), cells=cells)
    return (Beside(blocks=(matrix,), notes=_NOTES),)


_NOTES = (
    (
        "Row: caller. Column: server. ✕ cannot verify, · can, ? not known. Framed or solid black: the pair calls each "
        "other, and the server's leaf was verified under the caller's roots, by key."
    ),
    (
        "Other pairs are computed from trust sets alone: ✕ where the two share no root. That supposes that a proxy's "
        "leaf is signed by a root that it trusts itself."
    ),
)


def _cell(caller: str, server: str, signs: dict[str, str], judged: dict[tuple[str, str], bool]) -> Cell:
    if caller == server:
        return Cell(text="", means="the same proxy", look="self")
    good = judged.get((caller, server))
    if good is not None:
        return (
            Cell(text="✓", means="verifies; they call", look="called")
            if good
            else Cell(text="✕", means="cannot verify; they call", look="fails called")
        )
    if not signs[caller] or not signs[server]:
        return Cell(text="?", means="not known", look="unknown")
    if set(signs[caller]) & set(signs[server]):
        return Cell(text="·", means="share a root")
    return Cell(text="✕", means="share no root", look="fails")
