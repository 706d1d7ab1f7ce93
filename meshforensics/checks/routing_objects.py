"""Routing, as its objects say it: VirtualServices and DestinationRules that name what is not there.

Objects that lead nowhere need not hurt: nobody may call, or another object may win. What hurts is told by
the proxies' own configuration (`routing`) and by calls (`traffic`), so that these are warnings.
"""

from collections.abc import Iterator

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._hosts import hosts_of, labels_of, lists_all, matches, same, sees, service_of
from meshforensics.tables import ABSENT, keys, text, texts, true, where

_ALL_KINDS = {"foreign.crs", "foreign.k8s-resources", "istiod.configz"}


def _with_destination(rules: pd.DataFrame) -> pd.DataFrame:
    """Rules that lead to a host, and those that should and name none."""
    leads = text(rules["host"]) != ""
    nameless = ~leads & text(rules["pointer"]).str.contains(r"/route/\d+\Z")
    return rules[leads | nameless]


@check(
    "routing.unknown-host",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["object", "host"],
    subject="object",
    observed="host",
    title="A VirtualService leads to a host that the mesh does not know",
    detail="{object} leads to {host}, which is no service that its namespaces see",
    remediation="Correct the name (short names are of the VirtualService's own namespace), or declare the host.",
    source="guide, phase 2, step 4; istioctl analyze IST0101; services, ServiceEntries and istiod's registry",
)
def unknown_host(
    virtual_service_rules: pd.DataFrame,
    service_ports: pd.DataFrame,
    service_entry_hosts: pd.DataFrame = ABSENT,
    registry: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    rules = _with_destination(virtual_service_rules)
    if not lists_all(service_ports, "services"):
        return rules.iloc[:0]
    hosts = hosts_of(service_ports, service_entry_hosts, registry)
    viewers = [_viewers(*each) for each in zip(texts(rules["namespace"]), rules["export_to"], strict=True)]
    asked = zip(texts(rules["host"]), viewers, strict=True)
    return where(rules, (not all(hosts.knows(host, viewer) for viewer in several) for host, several in asked))


def _viewers(owner: str, export_to: object) -> frozenset[str]:
    """The namespaces in which the rules are used; of those exported to all, only the owner's is judged."""
    return _seen_by(owner, export_to) or frozenset({owner})


@check(
    "routing.unknown-port",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["object", "host", "port"],
    subject="object",
    observed="port",
    title="A VirtualService leads to a port that the service does not have",
    detail="{object} leads to port {port} of {host}, which has {ports}",
    remediation="Name a port of the Service, not of its pods.",
    source="guide, phase 2, step 4; istioctl analyze IST0101",
)
def unknown_port(virtual_service_rules: pd.DataFrame, service_ports: pd.DataFrame) -> pd.DataFrame:
    rules = virtual_service_rules[virtual_service_rules["port"].notna()]
    hosts = hosts_of(service_ports, ABSENT, ABSENT)
    have = [hosts.ports(host) for host in texts(rules["host"])]
    rules = rules.assign(ports=[", ".join(map(str, sorted(each))) for each in have])
    numbers = rules["port"].astype("int64")
    return where(rules, (bool(each) and port not in each for each, port in zip(have, numbers, strict=True)))


@check(
    "routing.port-not-chosen",
    phase="configuration",
    plane="state",
    severity="info",
    by=["object", "host"],
    subject="object",
    observed="ports",
    title="A VirtualService leads to a service of several ports and names none",
    detail="{object} leads to {host}, which has ports {ports}: the port of the listener is taken",
    remediation="Name the port; behind a gateway the listener's port is hardly ever the service's.",
    source="istioctl analyze IST0112",
)
def port_not_chosen(virtual_service_rules: pd.DataFrame, service_ports: pd.DataFrame) -> pd.DataFrame:
    rules = virtual_service_rules[virtual_service_rules["port"].isna()]
    hosts = hosts_of(service_ports, ABSENT, ABSENT)
    have = [hosts.ports(host) for host in texts(rules["host"])]
    rules = rules.assign(ports=[", ".join(map(str, sorted(each))) for each in have])
    return where(rules, (len(each) > 1 for each in have))


@check(
    "routing.missing-subset",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["object", "host", "subset"],
    subject="object",
    observed="subset",
    title="A VirtualService leads to a subset that no DestinationRule makes",
    detail="{object} leads to subset {subset} of {host}, which no DestinationRule that {namespace} sees defines",
    remediation="Add the subset to the DestinationRule before the VirtualService names it; take it out in reverse.",
    source="guide, phase 2, step 4 (missing destination rules); claims 4.8; istioctl analyze IST0101, KIA1107",
)
def missing_subset(
    virtual_service_rules: pd.DataFrame, custom_resources: pd.DataFrame, destination_rules: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """Judged where DestinationRules were captured: a document of all kinds, or a list that has some."""
    rules = virtual_service_rules[text(virtual_service_rules["subset"]) != ""]
    if destination_rules.empty and not _ALL_KINDS & set(texts(custom_resources["source_kind"])):
        return rules.iloc[:0]
    made = list(_subsets(destination_rules))
    return where(
        rules,
        (
            not any(_defines(each, host, subset, viewer) for each in made)
            for host, subset, viewer in keys(rules, "host", "subset", "namespace")
        ),
    )


def _subsets(destination_rules: pd.DataFrame) -> Iterator[tuple[str, str, object, str]]:
    """Host, subset, who sees it, and whose it is."""
    if destination_rules.empty:
        return
    named = destination_rules[text(destination_rules["subset"]) != ""]
    for (host, subset, owner), export in zip(
        keys(named, "host", "subset", "namespace"), named["export_to"], strict=True
    ):
        yield host, subset, export, owner


def _defines(made: tuple[str, str, object, str], host: str, subset: str, viewer: str) -> bool:
    of, name, export, owner = made
    return name == subset and sees(viewer, export, owner) and (same(of) == same(host) or matches(of, host))


@check(
    "routing.unknown-rule-host",
    phase="configuration",
    plane="state",
    severity="info",
    by=["object"],
    subject="object",
    observed="host",
    title="A DestinationRule is for a host that the mesh does not know",
    detail="{object} is for {host}, which is no service that {namespace} sees: it has no effect",
    remediation="Correct the host, or delete the rule.",
    source="guide, phase 2, step 4; istioctl analyze IST0174, KIA0202",
)
def unknown_rule_host(
    destination_rules: pd.DataFrame,
    service_ports: pd.DataFrame,
    service_entry_hosts: pd.DataFrame = ABSENT,
    registry: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    whole = destination_rules[
        (text(destination_rules["subset"]) == "") & ~text(destination_rules["host"]).str.contains("*", regex=False)
    ]
    if not lists_all(service_ports, "services"):
        return whole.iloc[:0]
    hosts = hosts_of(service_ports, service_entry_hosts, registry)
    return where(whole, (not hosts.knows(host, viewer) for host, viewer in keys(whole, "host", "namespace")))


@check(
    "routing.subset-without-pods",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["object", "subset"],
    subject="object",
    observed="labels",
    title="A subset selects no pods",
    detail="subset {subset} of {object} ({labels}) selects none of the pods of {host}; {used}",
    remediation="Compare the subset's labels with the pods'; give it no weight until it has pods.",
    source="guide, phase 2, step 4 (weights that point at an empty subset); istioctl analyze IST0173, KIA0203",
)
def subset_without_pods(
    destination_rules: pd.DataFrame,
    service_ports: pd.DataFrame,
    pods: pd.DataFrame,
    virtual_service_rules: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """Judged where all pods are listed, for services that select pods; workloads outside are not pods."""
    subsets = destination_rules[text(destination_rules["subset"]) != ""]
    if not (lists_all(pods, "pods") or (pods.empty and lists_all(service_ports, "services"))):
        return subsets.iloc[:0]
    selectors = dict(zip(keys(service_ports, "namespace", "service"), texts(service_ports["selector"]), strict=True))
    labels = _labels_by_namespace(pods)
    empty = []
    for host, wanted in keys(subsets, "host", "labels"):
        service = service_of(host)
        selector = labels_of(selectors.get(service, "")) if service else {}
        both = {**selector, **labels_of(wanted)}
        empty.append(bool(selector) and not any(both.items() <= each for each in labels.get(service[0], ())))  # type: ignore[index]
    found = where(subsets, empty)
    return found.assign(used=[_used(virtual_service_rules, *key) for key in keys(found, "host", "subset")])


def _labels_by_namespace(pods: pd.DataFrame) -> "dict[str, list[set[tuple[str, str]]]]":
    made: dict[str, list[set[tuple[str, str]]]] = {}
    running = pods[~pods["phase"].isin(["Succeeded", "Failed"])]
    for namespace, said in keys(running, "namespace", "labels"):
        made.setdefault(namespace, []).append(set(labels_of(said).items()))
    return made


def _used(rules: pd.DataFrame, host: str, subset: str) -> str:
    """Which VirtualServices lead there, with their weights, in words."""
    if rules.empty:
        return "no VirtualService leads there"
    own = rules[(text(rules["subset"]) == subset) & (text(rules["host"]).map(same) == same(host))]
    own = own[own["weight"].isna() | (own["weight"] > 0)]
    said = [
        f"{name} leads there" + ("" if pd.isna(weight) else f" with weight {int(weight)}")
        for name, weight in zip(texts(own["object"]), own["weight"], strict=True)
    ]
    return ", ".join(dict.fromkeys(said)) or "no VirtualService leads there"


@check(
    "routing.conflicting-hosts",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["host"],
    subject="object",
    observed="host",
    title="Several VirtualServices are for the same host",
    detail="{count} VirtualServices are for {host} inside the mesh: the oldest wins, the others have no effect",
    remediation="Merge them into one, or export each to the namespaces that it is for.",
    source="guide, phase 2, step 4 (conflicting route rules); istioctl analyze IST0109, KIA1106",
)
def conflicting_hosts(virtual_service_rules: pd.DataFrame) -> pd.DataFrame:
    """Inside the mesh: at a gateway the rules of several for one host are merged."""
    inside = true(
        virtual_service_rules["gateways"].map(lambda names: isinstance(names, tuple) and "mesh" in names), missing=False
    )
    own = virtual_service_rules[inside].drop_duplicates("object")
    spread = own.assign(host=own["hosts"]).explode("host")
    spread = spread[text(spread["host"]) != ""]
    spread = spread.assign(host=text(spread["host"]).map(same)).reset_index(drop=True)
    seen: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for (host, name, owner), export in zip(
        keys(spread, "host", "object", "namespace"), spread["export_to"], strict=True
    ):
        seen.setdefault(host, []).append((name, _seen_by(owner, export)))
    return where(spread, (_clashes(name, seen[host]) for host, name in keys(spread, "host", "object")))


def _clashes(name: str, several: list[tuple[str, frozenset[str]]]) -> bool:
    """Whether another object for the host is seen where this one is; seen by none is seen by all."""
    own = next(viewers for each, viewers in several if each == name)
    return any(each != name and (not own or not others or own & others) for each, others in several)


def _seen_by(owner: str, export_to: object) -> frozenset[str]:
    """The namespaces that see it; empty for all."""
    said = tuple(export_to) if isinstance(export_to, tuple) else ()
    return frozenset() if not said or "*" in said else frozenset(owner if each == "." else each for each in said)
