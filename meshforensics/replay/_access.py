"""Reviews of the caller's own access: whoever has the token of a replay may read, and do nothing else."""

from typing import Any

from meshforensics.formats.kubernetes import mapping
from meshforensics.replay._status import READ_ONLY

ACCESS, RULES, WHO = "selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"
AUTHORIZATION, AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"
REVIEWS = {
    AUTHORIZATION: {ACCESS: "SelfSubjectAccessReview", RULES: "SelfSubjectRulesReview"},
    AUTHENTICATION: {WHO: "SelfSubjectReview"},
}
"""By group: the plurals and kinds of what a caller may ask about itself."""
_READS = ("get", "list", "watch")
_STREAMS = ("exec", "portforward")
_USER = {"username": "meshforensics-replay", "groups": ["system:authenticated"]}


def reviewed(parts: list[str]) -> tuple[str, str] | None:
    """Group and plural of a path of reviews; None for any other path."""
    match parts:
        case ["apis", group, "v1", plural] if plural in REVIEWS.get(group, {}):
            return group, plural
    return None


def review(group: str, plural: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a review."""
    answers = {ACCESS: _access, RULES: _rules, WHO: _who}
    return {
        **body,
        "apiVersion": f"{group}/v1",
        "kind": REVIEWS[group][plural],
        "metadata": mapping(body, "metadata"),
        "status": answers[plural](body),
    }


def _access(body: dict[str, Any]) -> dict[str, Any]:
    spec = mapping(body, "spec")
    asked = mapping(spec, "resourceAttributes")
    verb, stream = asked.get("verb"), asked.get("subresource") in _STREAMS
    if not asked:
        verb = mapping(spec, "nonResourceAttributes").get("verb", "get")
    allowed = verb in _READS or (verb == "create" and stream)
    return {"allowed": allowed, "reason": "" if allowed else READ_ONLY}


def _rules(_: dict[str, Any]) -> dict[str, Any]:
    reading = {"verbs": [*_READS], "apiGroups": ["*"], "resources": ["*"]}
    streams = {"verbs": ["create", "get"], "apiGroups": [""], "resources": [f"pods/{each}" for each in _STREAMS]}
    return {
        "resourceRules": [reading, streams],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}],
        "incomplete": False,
    }


def _who(_: dict[str, Any]) -> dict[str, Any]:
    return {"userInfo": _USER}
