"""Every row leads to its bytes: `item` is of the bundle, `pointer` is in it, and what it says stands there."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from meshforensics.formats.place import excerpt
from meshforensics.investigation import Investigation, open_evidence
from meshforensics.tables import declared_tables
from tests.conftest import Opened

ROWS = 6
"""Rows of each table that are looked up, evenly spread."""

SAID = {
    "access_log": ("path", "status", "cluster", "upstream_host", "user_agent", "request_id", "duration_ms", "route"),
    "analysis": ("level", "code", "name", "message"),
    "bound_listeners": ("name", "address"),
    "calls": ("cluster", "host", "path", "status", "upstream_host"),
    "cluster_instances": ("name", "version_info"),
    "cluster_secrets": ("namespace", "name", "type"),
    "clusters": ("name", "host", "port", "subset", "sni", "lb_policy", "max_connections", "alt_stat_name"),
    "config_maps": ("kind", "namespace", "name"),
    "containers": ("container", "image", "restarts"),
    "custom_resources": ("kind", "namespace", "name", "generation", "resource_version"),
    "endpoints": ("hostname", "weight", "cx_total", "rq_total", "rq_error"),
    "events": ("namespace", "name", "type", "reason", "count"),
    "filter_chains": ("name", "rds", "transport_protocol", "destination_port"),
    "histograms": ("name", "cluster", "count"),
    "istiod_log": ("level", "scope", "message"),
    "listener_instances": ("name", "version_info"),
    "listeners": ("name", "direction"),
    "memory": ("allocated", "heap_size", "pageheap_free", "pageheap_unmapped", "total_physical_bytes"),
    "namespaces": ("namespace", "injection"),
    "nodes": ("node", "kubelet_version", "ip"),
    "pods": ("namespace", "pod", "ip", "node", "phase", "uid"),
    "proxies": ("role", "version", "state", "node", "cluster_id", "workload"),
    "proxy_log": ("level", "scope", "message"),
    "pushes": ("namespace", "pod", "resources", "size"),
    "registry": ("host", "namespace", "name", "registry"),
    "registry_endpoints": ("namespace", "port_name", "workload", "tls_mode"),
    "rejection_reports": ("resource_name", "message"),
    "route_instances": ("name", "version_info"),
    "routes": ("cluster", "weight"),
    "runtime_keys": ("setting",),
    "secret_instances": ("name", "version_info"),
    "secrets": ("name",),
    "service_endpoints": ("pod", "node"),
    "services": ("namespace", "name", "type", "cluster_ip"),
    "stats": ("name", "cluster", "response_code"),
    "versions": ("version",),
    "virtual_hosts": ("name",),
    "workloads": ("kind", "namespace", "name", "replicas", "ready_replicas"),
    "xds_connections": ("connection", "namespace", "pod"),
    "xds_sync": ("sent", "acked"),
    "ztunnel_workloads": ("uid", "protocol", "node", "service_account", "trust_domain"),
}
"""Columns whose values stand in the bytes as they are in the table."""


@pytest.mark.parametrize("name", ["ca-rotation", "upgrade-503"])
def test_rows_of_a_capture_lead_to_their_bytes(captures: Path, opened: Opened, name: str) -> None:
    b = opened(captures / name)

    assert list(_astray(b)) == []


@pytest.mark.parametrize(
    "file",
    [
        "bugreport/istio_2023-05",
        "envoy_config_dump/istio-1.0_configs_is_a_map_v2alpha.json",
        "envoy_config_dump/istio-1.5dev_2020-01_productpage.json",
        "envoy_config_dump/istio-dev_waypoint.yaml",
        "envoy_admin/clusters/istio_2018-09-06_clusters.json",
        "ztunnel/istioctl_ztunnel_dump_2023-03-26.json",
        "ztunnel/kiali_ztunnel_config.json",
        "access_logs/docs_lines_zirain_playground.log",
        "kubernetes/troubleshoot_bundle_sbctl/cluster-resources/pods/velero.json",
    ],
)
def test_rows_of_a_public_capture_lead_to_their_bytes(corpus: Path, file: str) -> None:
    b = open_evidence(corpus / file)

    assert list(_astray(b)) == []


def test_every_certificate_is_the_block_that_its_pointer_counts(captures: Path, opened: Opened) -> None:
    b = opened(captures / "ca-rotation")
    items = {item.id: item for item in b.bundle.items}
    whole = b.certificates[b.certificates["pem"].notna()]

    places = list(zip(whole["item"], whole["pointer"].str.partition("#pem")[0], strict=True))
    blocks = [_blocks(_plain(excerpt(b.bundle.read(items[item]), base).marked)) for item, base in places]

    numbers = [int(number) for number in whole["pointer"].str.partition("#pem")[2]]
    assert [held[number - 1] for held, number in zip(blocks, numbers, strict=True)] == list(whole["pem"])


def _blocks(marked: str) -> list[str]:
    """The PEM blocks of a value: text in YAML, base64 in JSON and in webhooks."""
    text = "\n".join(line.strip(" \"'") for line in marked.splitlines() if line.strip())
    if "-----BEGIN" not in text:
        text = base64.b64decode(text).decode()
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)


def _astray(b: Investigation) -> Iterator[tuple[str, str, str, str]]:
    """Table, item, pointer and column (or reason) of what does not stand where its row says."""
    items = {item.id: item for item in b.bundle.items}
    for name, table in declared_tables().items():
        frame = b.frame(name)
        for position in sorted({int(each) for each in _spread(len(frame))}):
            row = frame.iloc[position]
            if row["item"] not in items:
                yield name, str(row["item"]), row["pointer"], "no such item"
                continue
            marked = _plain(excerpt(b.bundle.read(items[row["item"]]), row["pointer"]).marked)
            for column in SAID.get(name, ()):
                assert column in {each.name for each in table.columns}
                if not pd.isna(row[column]) and str(row[column]) not in marked:
                    yield name, str(row["item"]), row["pointer"], column


def _spread(rows: int) -> Iterator[float]:
    step = max(rows / ROWS, 1)
    at = 0.0
    while at < rows:
        yield at
        at += step


def _plain(marked: str) -> str:
    """Bytes with the escapes of JSON resolved, so that a text is found as it was decoded."""
    for escaped, plain in (("\\n", "\n"), ('\\"', '"'), ("\\u003c", "<"), ("\\u003e", ">")):
        marked = marked.replace(escaped, plain)
    return marked
