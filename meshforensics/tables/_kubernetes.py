"""What the Kubernetes tables share: which items hold which kinds, and how values are read."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from meshforensics.formats import quantity
from meshforensics.formats.kubernetes import KubernetesObject, decode
from meshforensics.formats.resources import PROMISED
from meshforensics.model import NotTheFormError
from meshforensics.tables._declare import Reading, Row, Rows, RowsOnly

MESH_PROXIES = ("istio-proxy", "linkerd-proxy")
"""Names of the containers that carry a mesh's data plane inside an application's pod."""

_ANYTHING = "kubernetes.objects"
"""Objects of whatever kinds, as loose files hold them: they promise nothing."""


def reads(make: Rows, *kinds: str) -> Mapping[str, Rows]:
    """`make` for each item kind; loose objects are read last but for the members of foreign layouts."""
    native = [kind for kind in kinds if not kind.startswith("foreign.")]
    return dict.fromkeys([*native, _ANYTHING, *(kind for kind in kinds if kind not in native)], make)


def rows(kinds: Iterable[str], make: Callable[[KubernetesObject], Iterable[Row]]) -> RowsOnly:
    """A rows function: `make` for each object of some kinds; None when the item is not about them."""
    wanted = frozenset(kinds)

    def read(reading: Reading) -> Iterable[Row] | None:
        found = objects(reading, wanted)
        return None if found is None else [row for one in found for row in make(one)]

    return read


def objects(reading: Reading, kinds: frozenset[str]) -> list[KubernetesObject] | None:
    """The objects of some kinds; None when there is none and the item promises none.

    A Pod that a replay made for pages and logs says nothing of its own: what it lacks was not captured.
    """
    kind = reading.item.kind
    found = [one for one in reading.decoded(decode) if one.kind in kinds and not one.stands_in]
    promised = kind.startswith("kubernetes.") and kind != _ANYTHING
    return found if found or promised or PROMISED.get(kind, frozenset()) & kinds else None


def json_text(value: object) -> str | None:
    """The value as JSON with sorted keys; None for nothing."""
    if value is None or value in ({}, []):
        return None
    return msgspec.json.encode(value, order="sorted").decode()


def number(value: Any) -> int | None:
    """The value where it is an integer that a column can hold, else None."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -(2**63) <= value < 2**63 else None


def bytes_of(value: Any) -> int | None:
    """Bytes of a quantity; None where there is none or it is none."""
    return _quantity(quantity.whole, value)


def millicores_of(value: Any) -> int | None:
    """Millicores of a quantity; None where there is none or it is none."""
    return _quantity(quantity.milli, value)


def _quantity(read: Callable[[str], int | None], value: Any) -> int | None:
    if value is None or isinstance(value, (bool, dict, list)):
        return None
    try:
        return number(read(str(value)))
    except NotTheFormError:
        return None


def condition(status: dict[str, Any], type_: str) -> dict[str, Any]:
    """The condition of that type; empty where there is none."""
    found = status.get("conditions")
    known = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return next((one for one in known if one.get("type") == type_), {})


def is_true(of: dict[str, Any]) -> bool | None:
    """Whether a condition's status is True; None where there is no condition."""
    status = of.get("status")
    return None if status is None else str(status) == "True"


def is_text_table(reading: Reading) -> bool:
    """Whether the item is a table that kubectl printed, and not objects."""
    return not reading.payload.lstrip()[:11].startswith((b"{", b"[", b"---", b"#", b"apiVersion:", b"items:", b"kind:"))


def before(captured_at: datetime | None, seconds: int | None) -> datetime | None:
    """The instant that many seconds before the capture; None where either is unknown."""
    if captured_at is None or seconds is None:
        return None
    try:
        return captured_at - timedelta(seconds=seconds)
    except OverflowError:
        return None
