"""Discovery: which groups, versions and resources there are."""

from typing import Any

from meshforensics.formats.resources import Resource
from meshforensics.replay._access import REVIEWS
from meshforensics.replay._state import State
from meshforensics.replay._told import server_version

_READ = ["get", "list", "watch"]
_SUBRESOURCES = (
    {"name": "pods/exec", "kind": "PodExecOptions", "verbs": ["create", "get"]},
    {"name": "pods/log", "kind": "Pod", "verbs": ["get"]},
    {"name": "pods/portforward", "kind": "PodPortForwardOptions", "verbs": ["create", "get"]},
)
_CATEGORIES = {
    "": ("pods", "services"),
    "apps": ("deployments", "replicasets", "statefulsets", "daemonsets"),
    "batch": ("jobs", "cronjobs"),
}
"""What ``kubectl get all`` means, by group."""
_ISTIO = ".istio.io"
_VERSION = {
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.0-meshforensics-replay",
    "platform": "replay",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "",
    "goVersion": "",
    "compiler": "replay",
}
"""What is said where the bundle does not tell the version of the API server."""
_VERSIONS = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def document(state: State, parts: list[str]) -> dict[str, Any] | None:
    """The discovery document at a path; None when the path is of something else, or of no group that is known."""
    if parts in (["version"], ["api"]):
        return _VERSIONS if parts == ["api"] else {**_VERSION, **(server_version(state) or {})}
    match parts:
        case ["apis"]:
            return _all_groups(state)
        case ["api", "v1"]:
            return _resources(state, "", "v1")
        case ["apis", group] if group in _groups(state):
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(state, group)}
        case ["apis", group, version] if version in _versions(state, group):
            return _resources(state, group, version)
    return None


def _all_groups(state: State) -> dict[str, Any]:
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(state, name) for name in _groups(state)],
    }


def _groups(state: State) -> list[str]:
    return sorted({group for group, _ in state.known if group} | set(REVIEWS))


def _versions(state: State, group: str) -> list[str]:
    """The versions of a group, the preferred one first."""
    if group in REVIEWS:
        return ["v1"]
    found = [version for each in state.known.values() if each.group == group for version in each.versions]
    return sorted(set(found), key=_preference)


def _preference(version: str) -> tuple[bool, str]:
    """Stable versions first, then the newest: v1, v1beta1, v1alpha3."""
    stable = "alpha" not in version and "beta" not in version
    return (not stable, "".join(chr(0x10FFFF - ord(letter)) for letter in version))


def _group(state: State, name: str) -> dict[str, Any]:
    versions = [{"groupVersion": f"{name}/{each}", "version": each} for each in _versions(state, name)]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _resources(state: State, group: str, version: str) -> dict[str, Any]:
    listed = [
        _resource(each) for key, each in sorted(state.known.items()) if key[0] == group and version in each.versions
    ]
    if not group:
        listed += [{"singularName": "", "namespaced": True, **each} for each in _SUBRESOURCES]
    listed += [_review(plural, kind) for plural, kind in REVIEWS.get(group, {}).items()]
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": listed}


def _resource(resource: Resource) -> dict[str, Any]:
    return {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": _READ,
        **({"shortNames": list(resource.short)} if resource.short else {}),
        **({"categories": named} if (named := _categories(resource)) else {}),
    }


def _categories(resource: Resource) -> list[str]:
    if resource.group.endswith(_ISTIO):
        return ["istio-io", f"{resource.group.removesuffix(_ISTIO)}-istio-io"]
    return ["all"] if resource.plural in _CATEGORIES.get(resource.group, ()) else []


def _review(plural: str, kind: str) -> dict[str, Any]:
    return {"name": plural, "singularName": kind.lower(), "namespaced": False, "kind": kind, "verbs": ["create"]}
