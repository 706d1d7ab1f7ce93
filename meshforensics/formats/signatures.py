"""What error texts of a mesh mean: fragment to family, cause, plane and first fix.

Matched in order, the most specific first; the first match gives the family. Spaces of a reason are
underscores in access logs, so both are tried.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from meshforensics.formats._signature_catalogue import SIGNATURES, Signature

__all__ = ["SIGNATURES", "Signature", "family_of", "signature_of"]

_BY_FLAG = {
    "NC": "no-cluster",
    "UH": "no-healthy-upstream",
    "UO": "overflow",
    "UT": "upstream-timeout",
    "RL": "rate-limited",
    "UAEX": "ext-authz",
    "FI": "fault-injected",
    "OM": "overload",
    "DF": "dns",
    "NR": "no-route",
    "UF": "connect-failure",
    "UC": "upstream-reset",
    "UR": "upstream-reset",
    "LR": "local-reset",
    "UPE": "protocol",
    "DPE": "protocol",
    "UMSDR": "max-duration",
    "SI": "idle-timeout",
    "DC": "client-gone",
}

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
    return next((family for flag, family in _BY_FLAG.items() if flag in flags), "")
