"""VirtualServices, rule by rule: what the authors of routes wrote, before istiod made configuration of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._kubernetes import json_text
from meshforensics.tables._specs import (
    EXPORT_TO,
    OWNER,
    Spec,
    frame_of,
    full_name,
    mapping,
    members,
    seconds,
    specs,
    text_of,
    whole,
    words,
)

_SECTIONS = ("http", "tls", "tcp")
_ACTIONS = ("route", "redirect", "directResponse", "delegate")


class _Leads(NamedTuple):
    """Where a rule leads: the place of a destination, and what stands there."""

    place: str
    destination: dict[str, Any]
    weight: int | None
    mirror: bool


def _rules(custom_resources: pd.DataFrame) -> pd.DataFrame:
    return frame_of(
        virtual_service_rules, (row for spec in specs(custom_resources, "VirtualService") for row in _of(spec))
    )


def _of(spec: Spec) -> Iterator[dict[str, object]]:
    hosts = tuple(full_name(host, spec.namespace) for host in words(spec.body, "hosts"))
    shared = {
        "hosts": hosts,
        "gateways": words(spec.body, "gateways") or ("mesh",),
        "export_to": words(spec.body, "exportTo"),
    }
    for section in _SECTIONS:
        for number, rule in enumerate(members(spec.body, section)):
            place = f"/{section}/{number}"
            said = {**shared, "section": section, "rule": number, **_rule(rule)}
            for leads in list(_destinations(rule, place)) or [_Leads(place, {}, None, False)]:
                yield spec.row(leads.place, **said, **_destination(leads, spec.namespace))


def _rule(rule: dict[str, Any]) -> dict[str, object]:
    retries = mapping(rule, "retries")
    return {
        "name": text_of(rule, "name"),
        "match": json_text(rule.get("match")),
        "action": next((action for action in _ACTIONS if rule.get(action)), None),
        "timeout_s": seconds(rule.get("timeout")),
        "attempts": whole(retries.get("attempts")),
        "per_try_timeout_s": seconds(retries.get("perTryTimeout")),
        "fault": json_text(rule.get("fault")),
    }


def _destinations(rule: dict[str, Any], place: str) -> Iterator[_Leads]:
    for number, each in enumerate(members(rule, "route")):
        yield _Leads(f"{place}/route/{number}", mapping(each, "destination"), whole(each.get("weight")), False)
    if mapping(rule, "mirror"):
        yield _Leads(f"{place}/mirror", mapping(rule, "mirror"), None, True)
    for number, each in enumerate(members(rule, "mirrors")):
        yield _Leads(f"{place}/mirrors/{number}", mapping(each, "destination"), None, True)


def _destination(leads: _Leads, namespace: str) -> dict[str, object]:
    host = text_of(leads.destination, "host")
    return {
        "host": full_name(host, namespace) if host else None,
        "subset": text_of(leads.destination, "subset"),
        "port": whole(mapping(leads.destination, "port").get("number")),
        "weight": leads.weight,
        "mirror": leads.mirror,
    }


virtual_service_rules = Table(
    id="virtual_service_rules",
    about="The rules of each VirtualService in their order: a row per rule and destination, mirrors too.",
    of="mesh",
    columns=(
        *OWNER,
        Column("hosts", "object", about="Hosts that it is for, in full, as tuple.", source="hosts"),
        Column("gateways", "object", about="Gateways that it is for, as tuple; mesh by default.", source="gateways"),
        EXPORT_TO,
        Column("section", "category", about="http, tls or tcp.", source="spec"),
        Column("rule", "Int64", about="Place in its section, from 0; the first match wins.", source="http, tls, tcp"),
        Column("name", "category", about="Name of the rule.", source="http[].name"),
        Column("match", "str", about="What a request must have, as JSON; missing for any.", source="match"),
        Column("action", "category", about="route, redirect, directResponse or delegate.", source="http[]"),
        Column("timeout_s", "Float64", unit="s", about="Time for the whole answer.", source="timeout"),
        Column("attempts", "Int64", about="How often it is tried again.", source="retries.attempts"),
        Column("per_try_timeout_s", "Float64", unit="s", about="Time of each try.", source="retries.perTryTimeout"),
        Column("fault", "str", about="Fault that it injects, as JSON.", source="fault"),
        Column("host", "category", about="Host that it leads to, in full.", source="destination.host"),
        Column("subset", "category", about="Subset that it leads to.", source="destination.subset"),
        Column("port", "Int64", about="Port that it leads to; missing for the only one.", source="destination.port"),
        Column("weight", "Int64", about="Share as written; missing where none is.", source="route[].weight"),
        Column("mirror", "boolean", about="Gets a copy only.", source="mirror, mirrors"),
    ),
    derives=_rules,
)
