"""Hosts of a mesh as its objects name them: which are known, and who may see them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import pandas as pd

from meshforensics.tables import keys, text, texts

_SERVICE = re.compile(r"([^.*]+)\.([^.]+)(?:\.svc(?:\..+)?)?\Z")
_WHOLE = ("kubernetes.{}:-@", "foreign.k8s-resources:")


def lists_all(frame: pd.DataFrame, plural: str) -> bool:
    """Whether rows are of a list of the whole cluster; only then is what is not in it not there."""
    return bool(text(frame["item"]).str.startswith(tuple(each.format(plural) for each in _WHOLE)).any())


def labels_of(said: str) -> dict[str, str]:
    """Labels as a table holds them: JSON; empty where there are none."""
    try:
        held = msgspec.json.decode(said) if said else {}
    except msgspec.DecodeError:
        return {}
    return {str(key): str(value) for key, value in held.items()} if isinstance(held, dict) else {}


def same(host: str) -> str:
    """What two spellings of one service have alike: ``pay.shop`` of ``pay.shop.svc.cluster.local``."""
    service = _SERVICE.match(host)
    return f"{service[1]}.{service[2]}" if service else host


def service_of(host: str) -> tuple[str, str] | None:
    """Namespace and name of the service that a full host names; None for another host."""
    service = _SERVICE.match(host)
    return (service[2], service[1]) if service and ".svc" in host else None


def matches(pattern: str, host: str) -> bool:
    """Whether hosts, one of which may begin with a wildcard, have a name in common.

    >>> matches("*.example.com", "api.example.com"), matches("*", "x"), matches("a.b", "*.c")
    (True, True, False)
    """
    if pattern == host or "*" in (pattern, host):
        return True
    if pattern.startswith("*") and host.startswith("*"):
        return pattern[1:].endswith(host[1:]) or host[1:].endswith(pattern[1:])
    if host.startswith("*"):
        pattern, host = host, pattern
    return pattern.startswith("*") and host.endswith(pattern[1:])


def sees(viewer: str, export_to: object, owner: str) -> bool:
    """Whether objects of namespace `viewer` see what `owner` exports; nothing said is for all."""
    said = tuple(export_to) if isinstance(export_to, tuple) else ()
    if not said or "*" in said:
        return True
    return viewer in {owner if each == "." else each for each in said}


@dataclass(frozen=True)
class Hosts:
    """Every host that services, ServiceEntries and istiod's registry tell of."""

    services: dict[tuple[str, str], tuple[object, frozenset[int]]]
    entries: tuple[tuple[str, object, str], ...]
    registered: frozenset[str]

    def knows(self, host: str, viewer: str) -> bool:
        """Whether an object of namespace `viewer` may lead to `host`."""
        service = service_of(host)
        if service in self.services:
            return sees(viewer, self.services[service][0], service[0])
        if host in self.registered:
            return True
        return any(_covers(each, host) and sees(viewer, export, owner) for each, export, owner in self.entries)

    def ports(self, host: str) -> frozenset[int]:
        """The ports of a service; none where the host is no service."""
        service = service_of(host)
        return self.services[service][1] if service in self.services else frozenset()


def _covers(entry: str, host: str) -> bool:
    """Whether a ServiceEntry's host is for `host`; a wildcard that is asked for must be in it as a whole."""
    return entry in {host, "*"} or (entry.startswith("*") and host.endswith(entry[1:]))


def hosts_of(service_ports: pd.DataFrame, service_entry_hosts: pd.DataFrame, registry: pd.DataFrame) -> Hosts:
    """The hosts of some tables; the last two may be empty."""
    services: dict[tuple[str, str], tuple[object, frozenset[int]]] = {}
    numbers = (None if pd.isna(port) else int(port) for port in service_ports["port"])
    rows = zip(keys(service_ports, "namespace", "service"), service_ports["export_to"], numbers, strict=True)
    for (namespace, name), export_to, port in rows:
        held = services.get((namespace, name), (export_to, frozenset()))[1]
        services[namespace, name] = (export_to, held | ({port} if port is not None else frozenset()))
    entries: Iterable[tuple[str, object, str]] = ()
    if len(service_entry_hosts):
        named = (text(service_entry_hosts[name]) for name in ("host", "namespace"))
        told = zip(*named, service_entry_hosts["export_to"], strict=True)
        entries = ((host, export, owner) for host, owner, export in told)
    registered = frozenset(texts(registry["host"])) if len(registry) else frozenset[str]()
    return Hosts(services, tuple(entries), registered)
