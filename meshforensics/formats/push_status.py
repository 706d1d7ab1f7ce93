"""istiod's ``/debug/push_status``: what it found wrong while it made the last configuration.

Source: Istio pilot/pkg/model/push_context.go (PushContext.StatusJSON: metric, key, proxy and message).
"""

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._xds_message import escape
from meshforensics.formats.kubernetes import mapping, text
from meshforensics.model import NotTheFormError

_WHAT = "istiod's push_status"


class PushProblem(msgspec.Struct, frozen=True):
    """One thing that a push metric counts, such as ``pilot_eds_no_instances`` of a cluster."""

    metric: str
    key: str
    proxy: str | None
    message: str | None
    pointer: str


def decode(payload: bytes) -> tuple[PushProblem, ...]:
    """Every entry, in the order of the document; none when the push was clean.

    Raises:
        TruncatedError: the document ends in the middle.
        NotTheFormError: it is no map of metrics.
    """
    said = decode_json(payload, what=_WHAT)
    if said is None:
        return ()
    if not isinstance(said, dict) or not all(isinstance(entries, dict) for entries in said.values()):
        raise NotTheFormError(f"not {_WHAT}: it is no map of metrics")
    return tuple(
        PushProblem(
            metric,
            key,
            text(mapping(entries, key), "proxy"),
            text(mapping(entries, key), "message"),
            f"/{escape(metric)}/{escape(key)}",
        )
        for metric, entries in said.items()
        for key in entries
    )
