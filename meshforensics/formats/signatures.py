"""What error texts of a mesh mean: fragment to family, cause, plane and first fix.

Matched in order, the most specific first; the first match gives the family. Spaces of a reason are
underscores in access logs, so both are tried.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from meshforensics.formats._signature_catalogue import SIGNATURES, Signature

__all__ = ["SIGNATURES", "Signature", "family_of", "shown", "signature_of", "signature_of_flags"]

_BY_FLAG = {
    "NC": "R13",
    "UH": "S4",
    "UO": "R1",
    "UT": "R9",
    "RL": "R19",
    "RLSE": "R20",
    "UAEX": "R30",
    "FI": "R18",
    "OM": "R21",
    "DF": "R29",
    "NR": "R14",
    "UF": "S1",
    "UC": "R2",
    "UR": "R3",
    "LR": "R4",
    "UPE": "R5",
    "DPE": "R24",
    "DT": "R12",
    "UMSDR": "R12",
    "SI": "R11",
    "DC": "R28",
    "DI": "R18",
}
"""Envoy's response flags, that of the nearest cause first, each with the signature that it alone stands for."""

_BEFORE = 9
"""So much of a long text is shown before what its signature fits."""

_OPTIONAL = re.compile(r".[?*{]")
_APART = re.compile(r"\\.|\[[^\]]*\]|\([^()]*\)[?*]?|[.^$+()]")
_LITERAL = re.compile(r"\\([.()\[\]{}?*+^$|])")


def _hints(fragment: str) -> Iterator[str]:
    """For each alternative of a pattern a text that whatever it matches has, so that most lines are ruled out fast."""
    depth, start, ends = 0, 0, [-1]
    for place, sign in enumerate(fragment):
        escaped = place and fragment[place - 1] == "\\"
        depth += 0 if escaped else (sign in "([") - (sign in ")]")
        if sign == "|" and not depth and not escaped:
            ends.append(place)
    for start, end in pairwise([*ends, len(fragment)]):
        plain = _LITERAL.sub(" ", fragment[start + 1 : end])
        runs = re.split(r"\x00", _OPTIONAL.sub("\x00", _APART.sub("\x00", plain)))
        yield max((part for run in runs for part in re.split("[ _]", run)), key=len)


_BY_ID = {each.id: each for each in SIGNATURES}
_COMPILED = tuple((tuple(_hints(each.fragment)), re.compile(each.fragment), each) for each in SIGNATURES)


def signature_of(text: str) -> Signature | None:
    """The first signature that `text` has; underscores are tried as spaces too.

    >>> signature_of("CERTIFICATE_VERIFY_FAILED:…:_unable_to_get_local_issuer_certificate").id
    'T4'
    """
    spaced = text.replace("_", " ") if "_" in text else ""
    for hints, pattern, signature in _COMPILED:
        if any(hint in text for hint in hints) and (pattern.search(text) or (spaced and pattern.search(spaced))):
            return signature
    return None


def signature_of_flags(flags: tuple[str, ...], *, http: bool = True) -> Signature | None:
    """What response flags mean by themselves; a TCP connection that has no route fitted no filter chain.

    >>> signature_of_flags(("UF", "URX")).id, signature_of_flags(("NR",), http=False).id
    ('S1', 'T15')
    """
    known = next((id_ for flag, id_ in _BY_FLAG.items() if flag in flags), "")
    return _BY_ID.get("T15" if known == "R14" and not http else known)


def shown(text: str, length: int) -> str:
    """At most `length` signs of a text: its beginning, or where its signature fits if that lies further on.

    >>> shown("error=service in fail-fast", 99), shown("a" * 99 + " error=service in fail-fast", 25)
    ('error=service in fail-fast', '…aa error=service in fail-…')
    """
    found = signature_of(text)
    fragment = re.compile(found.fragment) if found else None
    span = (fragment.search(text) or fragment.search(text.replace("_", " "))) if fragment else None
    start = max(0, span.start() - _BEFORE) if span and span.end() > length else 0
    return ("…" if start else "") + text[start : start + length] + ("…" if start + length < len(text) else "")


@lru_cache(maxsize=4096)  # failed calls of one cause say the same, thousands of times
def family_of(flags: tuple[str, ...], details: str, failure_reason: str) -> str:
    """The family of a failed request, by the reason first and the flags after; empty when neither says.

    >>> family_of(("NC",), "cluster_not_found", "")
    'no-cluster'
    """
    for text in (failure_reason, details):
        found = signature_of(text) if text and text != "-" else None
        if found is not None:
            return found.family
    flagged = signature_of_flags(flags)
    return flagged.family if flagged else ""
