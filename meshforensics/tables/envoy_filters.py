"""EnvoyFilters: each patch that somebody asks for."""

from collections.abc import Iterator

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._kubernetes import json_text
from meshforensics.tables._specs import OWNER, Spec, frame_of, mapping, members, specs, text_of, whole


def _patches(custom_resources: pd.DataFrame) -> pd.DataFrame:
    return frame_of(envoy_filter_patches, (row for spec in specs(custom_resources, "EnvoyFilter") for row in _of(spec)))


def _of(spec: Spec) -> Iterator[dict[str, object]]:
    for number, each in enumerate(members(spec.body, "configPatches")):
        match, patch = mapping(each, "match"), mapping(each, "patch")
        yield spec.row(
            f"/configPatches/{number}",
            selector=json_text(mapping(spec.body, "workloadSelector").get("labels")),
            targeted=bool(spec.body.get("targetRefs")),
            priority=whole(spec.body.get("priority")),
            apply_to=text_of(each, "applyTo"),
            operation=text_of(patch, "operation"),
            context=text_of(match, "context") or "ANY",
            proxy_version=text_of(mapping(match, "proxy"), "proxyVersion"),
            match=json_text(match),
            name=text_of(mapping(patch, "value"), "name"),
            merged=json_text(mapping(patch, "value")) if text_of(patch, "operation") == "MERGE" else None,
        )


envoy_filter_patches = Table(
    id="envoy_filter_patches",
    about="The patches of each EnvoyFilter, in their order.",
    of="mesh",
    columns=(
        *OWNER,
        Column("selector", "str", about="Labels of the pods it is for, as JSON.", source="workloadSelector.labels"),
        Column("targeted", "boolean", about="Names the objects it is for instead.", source="targetRefs"),
        Column("priority", "Int64", about="Order among filters; missing for 0.", source="priority"),
        Column("apply_to", "category", about="What it patches: HTTP_FILTER, CLUSTER, …", source="applyTo"),
        Column("operation", "category", about="ADD, MERGE, REMOVE, INSERT_BEFORE, …", source="patch.operation"),
        Column("context", "category", about="SIDECAR_INBOUND, SIDECAR_OUTBOUND, GATEWAY or ANY.", source="context"),
        Column("proxy_version", "str", about="Pattern of the proxies' version.", source="match.proxy.proxyVersion"),
        Column("match", "str", about="What it patches, as JSON.", source="match"),
        Column("name", "category", about="Name of what it adds.", source="patch.value.name"),
        Column("merged", "str", about="What it merges, as JSON; missing for another operation.", source="patch.value"),
    ),
    derives=_patches,
)
