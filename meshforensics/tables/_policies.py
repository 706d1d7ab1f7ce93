"""AuthorizationPolicies as Istio reads them: which workloads one is for, and what of a request a rule does not fit."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from meshforensics.tables._frames import text, texts
from meshforensics.tables._objects import mapping_in, members_in, spec_of, texts_in

ROOT_NAMESPACE = "istio-system"
_GATEWAY = "gateway.networking.k8s.io/gateway-name"


class Policy(NamedTuple):
    """One AuthorizationPolicy, PeerAuthentication or RequestAuthentication.

    Attributes:
        selector: labels of the workloads it is for; empty for all of its namespace.
        targets: kinds and names that it is attached to in place of a selector.
        enforced: false for a dry run.
    """

    object: str
    namespace: str
    spec: Mapping[str, Any]
    action: str
    selector: Mapping[str, Any]
    targets: tuple[tuple[str, str], ...]
    rules: list[Any]
    enforced: bool
    index: Any

    @property
    def has_selector(self) -> bool:
        """Whether it is for some workloads only."""
        return bool(self.selector) or bool(self.targets)


def policies_of(config: pd.DataFrame, kind: str = "AuthorizationPolicy") -> list[Policy]:
    """The policies of a kind, in the order of the table; `index` is the row of each."""
    if config.empty:
        return []
    rows = config[text(config["kind"]) == kind]
    said = zip(
        texts(rows["object"]), texts(rows["namespace"]), texts(rows["spec"]), texts(rows["annotations"]), rows.index,
        strict=True,
    )  # fmt: skip
    return [_policy(name, namespace, spec_of(spec), spec_of(notes), at) for name, namespace, spec, notes, at in said]


def _policy(name: str, namespace: str, spec: Mapping[str, Any], notes: Mapping[str, Any], at: Any) -> Policy:
    refs = [*members_in(spec, "targetRefs"), spec.get("targetRef")]
    return Policy(
        object=name,
        namespace=namespace,
        spec=spec,
        action=str(spec.get("action") or "ALLOW"),
        selector=mapping_in(spec, "selector", "matchLabels"),
        targets=tuple((str(ref.get("kind")), str(ref.get("name"))) for ref in refs if isinstance(ref, dict)),
        rules=members_in(spec, "rules"),
        enforced=str(notes.get("istio.io/dry-run")).lower() != "true",
        index=at,
    )


def selects(policy: Policy, namespace: str, labels: Mapping[str, Any], root: str = ROOT_NAMESPACE) -> bool:
    """Whether a policy is for a workload of some labels; the root namespace's are for all namespaces."""
    if policy.namespace not in {namespace, root}:
        return False
    if policy.targets:
        return any(kind == "Gateway" and labels.get(_GATEWAY) == name for kind, name in policy.targets)
    return all(labels.get(key) == value for key, value in policy.selector.items())


class Request(NamedTuple):
    """What is known of a request that a rule may ask for; empty for unknown.

    `accounts` are the identities that its caller may have, as ``ns/<namespace>/sa/<account>``; None where the
    caller has none.
    """

    accounts: tuple[str, ...] | None
    method: str
    path: str
    host: str
    port: str


def fits(pattern: str, value: str) -> bool:
    """Istio's matching of texts: exact, by prefix (``a*``), by suffix (``*a``), or anything (``*``).

    >>> fits("/pay*", "/pay/1"), fits("*-bogus", "shop"), fits("*", "x"), fits("*", "")
    (True, False, True, False)
    """
    if pattern == "*":
        return bool(value)
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    if pattern.startswith("*"):
        return value.endswith(pattern[1:])
    return pattern == value


def lacks(rule: Any, request: Request) -> tuple[str, ...]:
    """What of a rule a request does not fit, in words; conditions that nothing tells of are taken to fit."""
    if not isinstance(rule, dict):
        return ("a rule that can be read",)
    sources = [each.get("source") for each in members_in(rule, "from") if isinstance(each, dict)]
    operations = [each.get("operation") for each in members_in(rule, "to") if isinstance(each, dict)]
    return (*_least(sources, request, _of_source), *_least(operations, request, _of_operation))


def _least(sides: Sequence[Any], request: Request, judge: Any) -> tuple[str, ...]:
    """Of alternatives the one that is nearest to the request."""
    found = [judge(side, request) for side in sides if isinstance(side, dict)]
    return min(found, key=len, default=())


def _of_source(source: Mapping[str, Any], request: Request) -> tuple[str, ...]:
    accounts = request.accounts
    missing = []
    for field, inside in (("principals", _account), ("namespaces", _namespace), ("serviceAccounts", _short)):
        wanted = texts_in(source, field)
        if not wanted or (accounts is not None and not accounts):
            continue
        own = [inside(each) for each in accounts or ()]
        if not any(_is_named(pattern, value) for pattern in wanted for value in own):
            missing.append(f"{field} {own[0] if own else 'of a caller with mTLS'}")
    return tuple(missing)


def _is_named(pattern: str, value: str) -> bool:
    """Whether a principal names an account; trust domains are left out, for aliases stand for each other."""
    _, found, account = pattern.partition("/ns/")
    if found and not pattern.startswith("*") and value.startswith("ns/"):
        return fits(f"ns/{account}", value)
    return fits(pattern, value) or (pattern.startswith("*") and fits(pattern, f"/{value}"))


def _account(account: str) -> str:
    return account


def _namespace(account: str) -> str:
    return account.split("/")[1]


def _short(account: str) -> str:
    namespace, account = account.removeprefix("ns/").split("/sa/")
    return f"{namespace}/{account}"


def _of_operation(operation: Mapping[str, Any], request: Request) -> tuple[str, ...]:
    missing = []
    for field, value in (
        ("methods", request.method),
        ("paths", request.path),
        ("hosts", request.host),
        ("ports", request.port),
    ):
        wanted = texts_in(operation, field)
        barred = texts_in(operation, f"not{field.title()}")
        if value and wanted and not any(fits(each, value) for each in wanted):
            missing.append(f"{field} {value}")
        if value and any(fits(each, value) for each in barred):
            missing.append(f"not{field.title()} without {value}")
    return tuple(missing)
