"""Containers of pods: what they run, how they are, and how they ended the last time."""

from collections.abc import Iterable, Iterator
from typing import Any

from meshforensics.formats import describe
from meshforensics.formats.kubernetes import KubernetesObject, mapping, members, text
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._kubernetes import MESH_PROXIES, bytes_of, millicores_of, number, reads, rows

_LISTS = (
    ("containers", "containerStatuses", "app"),
    ("initContainers", "initContainerStatuses", "init"),
    ("ephemeralContainers", "ephemeralContainerStatuses", "ephemeral"),
)
_STATES = ("running", "waiting", "terminated")


def _containers(pod: KubernetesObject) -> Iterator[Row]:
    for list_name, status_name, role in _LISTS:
        specs = {str(one.get("name")): (index, one) for index, one in enumerate(members(pod.spec, list_name))}
        statuses = {str(one.get("name")): (index, one) for index, one in enumerate(members(pod.status, status_name))}
        for name in dict.fromkeys([*specs, *statuses]):
            index, spec = specs.get(name, (0, {}))
            place = f"{pod.pointer}/spec/{list_name}/{index}"
            if name in statuses:
                place = f"{pod.pointer}/status/{status_name}/{statuses[name][0]}"
            yield (place, *_container(pod, name, _role(name, role, spec), spec, statuses.get(name, (0, {}))[1]))


def _role(name: str, role: str, spec: dict[str, Any]) -> str:
    stays = role == "init" and spec.get("restartPolicy") == "Always"
    return "sidecar" if stays or (role == "app" and name in MESH_PROXIES) else role


def _container(pod: KubernetesObject, name: str, role: str, spec: dict[str, Any], status: dict[str, Any]) -> Row:
    state, now = _state(mapping(status, "state"))
    last_state, last = _state(mapping(status, "lastState"))
    limits = mapping(mapping(spec, "resources"), "limits")
    requests = mapping(mapping(spec, "resources"), "requests")
    return (
        pod.namespace,
        pod.name,
        name,
        role,
        text(spec, "image") or text(status, "image"),
        _flag(status, "ready"),
        _flag(status, "started"),
        _probe(mapping(spec, "readinessProbe")),
        _probe(mapping(spec, "startupProbe")),
        number(status.get("restartCount")),
        state,
        text(now, "reason"),
        number(now.get("exitCode")),
        text(now, "startedAt"),
        last_state,
        text(last, "reason"),
        number(last.get("exitCode")),
        text(last, "startedAt"),
        text(last, "finishedAt") or text(now, "finishedAt"),
        text(last, "message") or text(now, "message"),
        bytes_of(limits.get("memory")),
        bytes_of(requests.get("memory")),
        millicores_of(limits.get("cpu")),
        millicores_of(requests.get("cpu")),
    )


def _state(states: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    for name in _STATES:
        if isinstance(states.get(name), dict):
            return name, states[name]
    return None, {}


def _flag(status: dict[str, Any], name: str) -> bool | None:
    said = status.get(name)
    return said if isinstance(said, bool) else None


def _probe(probe: dict[str, Any]) -> str | None:
    """What a probe asks, in kubectl's words: ``http-get http://:15021/healthz/ready``."""
    if "httpGet" in probe:
        asked = mapping(probe, "httpGet")
        address = f"{asked.get('host') or ''}:{asked.get('port', '')}{asked.get('path') or '/'}"
        return f"http-get {str(asked.get('scheme') or 'HTTP').lower()}://{address}"
    if "exec" in probe:
        return f"exec {mapping(probe, 'exec').get('command')}"
    if "tcpSocket" in probe:
        return f"tcp-socket :{mapping(probe, 'tcpSocket').get('port', '')}"
    return f"grpc :{mapping(probe, 'grpc').get('port', '')}" if "grpc" in probe else None


def _described(reading: Reading) -> Iterable[Row]:
    for pod in reading.decoded(describe.decode):
        if pod.kind == "Pod":
            yield from (_from_text(pod, one) for one in pod.containers)


def _from_text(pod: describe.Described, one: describe.DescribedContainer) -> Row:
    stays = {"restartPolicy": one.fields.get("Restart Policy", "")}
    last, now = one.last_state, one.state
    ready = one.fields.get("Ready")
    return (
        one.pointer,
        pod.namespace,
        pod.name,
        one.name,
        _role(one.name, one.role, stays),
        describe.said(one.fields.get("Image")),
        None if ready is None else ready == "True",
        None,
        _described_probe(one.fields.get("Readiness")),
        _described_probe(one.fields.get("Startup")),
        _integer(one.fields.get("Restart Count")),
        now.get(""),
        now.get("Reason"),
        _integer(now.get("Exit Code")),
        describe.time_of(now.get("Started")),
        last.get(""),
        last.get("Reason"),
        _integer(last.get("Exit Code")),
        describe.time_of(last.get("Started")),
        describe.time_of(last.get("Finished") or now.get("Finished")),
        last.get("Message") or now.get("Message"),
        bytes_of(one.limits.get("memory")),
        bytes_of(one.requests.get("memory")),
        millicores_of(one.limits.get("cpu")),
        millicores_of(one.requests.get("cpu")),
    )


def _described_probe(said: str | None) -> str | None:
    """A probe without its delays and counts."""
    return said.partition(" delay=")[0].strip() or None if said else None


def _integer(said: str | None) -> int | None:
    return int(said) if said and said.lstrip("-").isascii() and said.lstrip("-").isdigit() and len(said) < 18 else None


containers = Table(
    id="containers",
    about="Containers of every pod, init and ephemeral ones too.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Namespace of the pod.", source="metadata.namespace"),
        Column("pod", "category", about="Name of the pod.", source="metadata.name"),
        Column("container", "category", about="Name of the container.", source="spec.containers[].name"),
        Column("role", "category", about="app, sidecar, init or ephemeral.", source="spec"),
        Column("image", "category", about="Image.", source="spec.containers[].image"),
        Column("ready", "boolean", about="Passed its readiness probe.", source="status.containerStatuses[]"),
        Column("started", "boolean", about="Passed its startup probe, or has none.", source="status.started"),
        Column("readiness_probe", "category", about="What its readiness probe asks.", source="spec.readinessProbe"),
        Column("startup_probe", "category", about="What its startup probe asks.", source="spec.startupProbe"),
        Column("restarts", "Int64", about="Restarts so far.", source="restartCount"),
        Column("state", "category", about="running, waiting or terminated.", source="state"),
        Column("reason", "category", about="Why it waits or ended.", source="state.*.reason"),
        Column("exit_code", "Int64", about="Exit code, if it has ended.", source="state.terminated"),
        Column("started_at", "datetime64[us, UTC]", about="Start of this run.", source="state.*.startedAt"),
        Column("last_state", "category", about="State before the last restart.", source="lastState"),
        Column("last_reason", "category", about="Why it ended before.", source="lastState.terminated.reason"),
        Column("last_exit_code", "Int64", about="Exit code before.", source="lastState.terminated.exitCode"),
        Column("last_started_at", "datetime64[us, UTC]", about="Start of the run before.", source="lastState"),
        Column("last_finished_at", "datetime64[us, UTC]", about="Newest end of a run.", source="lastState, state"),
        Column("last_message", "str", about="What it said when it ended.", source="lastState, state"),
        Column("memory_limit_bytes", "Int64", unit="bytes", about="Memory limit.", source="resources.limits"),
        Column("memory_request_bytes", "Int64", unit="bytes", about="Memory request.", source="resources.requests"),
        Column("cpu_limit_m", "Int64", unit="millicores", about="CPU limit.", source="resources.limits"),
        Column("cpu_request_m", "Int64", unit="millicores", about="CPU request.", source="resources.requests"),
    ),
    reads={
        **reads(rows(["Pod"], _containers), "kubernetes.pods", "foreign.k8s-resources", "foreign.pods"),
        "foreign.describe-pods": _described,
    },
    distinct=("namespace", "pod", "container"),
    sampled=True,
)
