"""The tables of ``kubectl get``."""

from typing import Any

import pytest

from meshforensics.formats.kubernetes import STAND_IN
from meshforensics.formats.resources import RESOURCES, resource_of
from meshforensics.replay._cells import age
from meshforensics.replay._table import as_table
from tests.replay.evidence import AT, pod

PROGRAMMED = [{"type": "Programmed", "status": "True"}]
METADATA = {"name": "x", "creationTimestamp": "2026-11-23T18:43:12Z"}


def row(kind: str, version: str = "v1", **body: Any) -> dict[str, Any]:
    """The cells of one object by column; those of ``-o wide`` too."""
    table = as_table(resource_of(kind, version), [{"metadata": METADATA, **body}], {}, AT)
    names = [each["name"] for each in table["columnDefinitions"]]
    return dict(zip(names, table["rows"][0]["cells"], strict=True))


@pytest.mark.parametrize(
    ("since", "said"),
    [
        ("2026-11-23T18:48:12Z", "0s"),
        ("2026-11-23T18:46:13Z", "119s"),
        ("2026-11-23T18:46:12Z", "2m"),
        ("2026-11-23T15:48:13Z", "179m"),
        ("2026-11-23T15:48:12Z", "3h"),
        ("2026-11-21T18:48:12Z", "2d"),
        ("2023-11-21T18:48:12Z", "3y"),
        ("2026-11-24T00:00:00Z", "0s"),
        ("no time", "<unknown>"),
        (None, "<unknown>"),
    ],
)
def test_ages_are_as_of_the_instant(since: str | None, said: str) -> None:
    assert age(since, AT) == said


def test_a_pod_that_started_again_says_when() -> None:
    body = pod("web-0")
    body["status"]["containerStatuses"][1] = {
        "name": "istio-proxy",
        "restartCount": 2,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"finishedAt": "2026-11-23T18:43:12Z"}},
    }

    said = row("Pod", **{key: value for key, value in body.items() if key != "metadata"})

    assert (said["Ready"], said["Status"], said["Restarts"]) == ("1/2", "CrashLoopBackOff", "3 (5m ago)")


@pytest.mark.parametrize(
    ("said", "cells"),
    [
        pytest.param(
            row(
                "Service",
                spec={
                    "type": "LoadBalancer",
                    "clusterIP": "10.0.0.1",
                    "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
                    "selector": {"app": "web"},
                },
                status={"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
            ),
            ["x", "LoadBalancer", "10.0.0.1", "192.0.2.1", "80:30080/TCP,53/UDP", "5m", "app=web"],
            id="service",
        ),
        pytest.param(
            row("Service", spec={"type": "LoadBalancer"}),
            ["x", "LoadBalancer", "<none>", "<pending>", "<none>", "5m", "<none>"],
            id="service-that-waits",
        ),
        pytest.param(
            row(
                "Deployment",
                "apps/v1",
                spec={
                    "replicas": 3,
                    "selector": {"matchLabels": {"app": "web"}},
                    "template": {"spec": {"containers": [{"name": "web", "image": "web:1"}]}},
                },
                status={"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1},
            ),
            ["x", "1/3", "2", "1", "5m", "web", "web:1", "app=web"],
            id="deployment",
        ),
        pytest.param(row("Secret", type="Opaque", data={"a": "", "b": ""}), ["x", "Opaque", "2", "5m"], id="secret"),
        pytest.param(
            row("Secret", metadata={**METADATA, "annotations": {STAND_IN: "printed"}}, type="Opaque"),
            ["x", "Opaque", "<unknown>", "5m"],
            id="secret-that-was-printed",
        ),
        pytest.param(
            row("VirtualService", "networking.istio.io/v1", spec={"hosts": ["a", "b"]}),
            ["x", "", '["a","b"]', "5m"],
            id="virtual-service",
        ),
        pytest.param(
            row(
                "Gateway",
                "gateway.networking.k8s.io/v1",
                status={"conditions": [{"type": "Programmed", "status": "True"}]},
            ),
            ["x", "", "True", "5m"],
            id="gateway",
        ),
    ],
)
def test_rows(said: dict[str, Any], cells: list[str]) -> None:
    assert list(said.values()) == cells


def test_a_node_says_its_roles_and_whether_it_takes_pods() -> None:
    labels = {"node-role.kubernetes.io/control-plane": "", "a": "b"}
    status = {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1.34.2"}}

    said = row("Node", metadata={**METADATA, "labels": labels}, spec={"unschedulable": True}, status=status)

    assert list(said.values())[:5] == ["x", "Ready,SchedulingDisabled", "control-plane", "5m", "v1.34.2"]


@pytest.mark.parametrize("junk", [None, 7, "text", True, ["a", {"b": None}], {"c": {"d": ["e"]}}])
def test_whatever_an_object_holds_it_has_a_row(junk: Any) -> None:
    fields = (
        "spec", "status", "data", "type", "endpoints", "involvedObject", "series", "count", "lastTimestamp",
        "firstTimestamp", "message",
    )  # fmt: skip
    deep = {
        "replicas": junk, "ports": [{"port": junk, "nodePort": junk}], "selector": junk, "conditions": [junk],
        "containerStatuses": [{"restartCount": junk, "state": junk, "lastState": junk}], "loadBalancer": junk,
        "externalIPs": junk, "template": {"spec": junk}, "hosts": junk, "mtls": junk, "readyReplicas": junk,
    }  # fmt: skip
    bodies = [
        dict.fromkeys(fields, junk),
        {"metadata": junk},
        {"metadata": {"name": junk, "creationTimestamp": junk, "labels": junk, "annotations": junk}},
        {"metadata": METADATA, "spec": deep, "status": deep},
    ]

    for resource in RESOURCES:
        table = as_table(resource, bodies, {}, AT)
        assert [len(each["cells"]) for each in table["rows"]] == [len(table["columnDefinitions"])] * len(bodies)
