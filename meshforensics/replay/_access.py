"""SelfSubjectAccessReview: what a caller of a replay may do is to read."""

from typing import Any

from meshforensics.formats.kubernetes import mapping
from meshforensics.replay._status import READ_ONLY, RefusedError

_READS = ("get", "list", "watch")
_STREAMS = ("exec", "portforward")


def review(plural: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a review.

    Raises:
        RefusedError: 405, the request is no review of the caller's own access.
    """
    if plural != "selfsubjectaccessreviews":
        raise RefusedError(405, READ_ONLY)
    asked = mapping(mapping(body, "spec"), "resourceAttributes")
    verb, stream = asked.get("verb"), asked.get("subresource") in _STREAMS
    allowed = verb in _READS or (verb == "create" and stream) or not asked
    reason = "" if allowed else READ_ONLY
    return {
        **body,
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "status": {"allowed": allowed, "reason": reason},
    }
