"""A small bundle in our own kinds, and a client that speaks to a replay of it."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import yaml

from meshforensics.bundle import Bundle, BundleWriter
from meshforensics.model import Cause, Status, parse_time
from meshforensics.replay import Replay

AT = parse_time("2026-11-23T18:48:12Z")
BEFORE = parse_time("2026-11-23T18:40:00Z")
STEP = timedelta(seconds=10)
LOG = b"2026-11-23T18:46:00Z\tinfo\told\n  more of it\n[2026-11-23T18:48:00.500Z] new\nlast\n"
DUMP = (
    b'{"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump", "dynamic_active_clusters":'
    b' [{"cluster": {"name": "a"}}]}, {"@type": "type.googleapis.com/envoy.admin.v3.EndpointsConfigDump"}]}'
)
EVENT = {
    "metadata": {"name": "web-0.1", "namespace": "shop"},
    "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-0", "apiVersion": "v1"},
    "type": "Warning",
    "reason": "BackOff",
    "message": "restarting failed container",
    "lastTimestamp": "2026-11-23T18:43:12Z",
    "count": 3,
}
_numbers = count(1)


def pod(name: str, namespace: str = "shop", **more: Any) -> dict[str, Any]:
    """A Pod with a sidecar that is ready."""
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app": name.partition("-")[0]},
            "creationTimestamp": "2026-11-23T17:18:12Z",
        },
        "spec": {"containers": [{"name": "app"}, {"name": "istio-proxy"}], "nodeName": "worker-1"},
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {"name": "app", "ready": True, "restartCount": 1},
                {"name": "istio-proxy", "ready": True, "restartCount": 2},
            ],
        },
        **more,
    }


def listed(kind: str, *items: dict[str, Any], version: str = "v1") -> bytes:
    """A List as an API server sends it: its members lack their kind."""
    return json.dumps({"kind": f"{kind}List", "apiVersion": version, "metadata": {}, "items": items}).encode()


def write(url: str = "", *, at: datetime = AT) -> Bundle:
    """The bundle, in memory unless `url` says where."""
    with BundleWriter(url or f"memory://tests-replay/{next(_numbers)}", mesh="lab", layout="test") as writer:
        many = [pod(f"web-{number}") for number in range(5)]
        for kind, subject, payload in (
            ("kubernetes.pods", "-", listed("Pod", *many, pod("db-0", "data"))),
            ("kubernetes.services", "-", listed("Service")),
            ("kubernetes.events", "-", listed("Event", EVENT)),
            ("log.istio-proxy", "shop/web-0", LOG),
            ("log.istio-proxy.previous", "shop/web-0", b"before the crash\n"),
            ("envoy.config_dump", "shop/web-0", DUMP),
            ("envoy.clusters", "shop/web-0", b"a::default_priority::max_connections::1\n"),
            ("envoy.stats", "shop/web-0", b"cluster.a.upstream_rq: 1\nserver.live: 1\n"),
            ("envoy.server_info", "shop/web-0", b'{"state": "DRAINING"}'),
            ("istiod.syncz", "istio-system/istiod-1", b"[]"),
            ("log.discovery", "istio-system/istiod-1", b"no time here\n"),
        ):
            writer.add(kind, subject, payload, captured_at=at, time_source="Date")
        writer.add("kubernetes.pods", "-", listed("Pod", pod("web-9")), captured_at=BEFORE, time_source="Date")
        writer.miss(
            "kubernetes.secrets", "-", status=Status.FAILED, cause=Cause.FORBIDDEN, detail="403", captured_at=at
        )
        writer.miss("envoy.certs", "shop/web-0", status=Status.FAILED, cause=Cause.TIMEOUT, captured_at=at)
        return writer.seal()


def changing() -> Bundle:
    """Pods that come, change and go, and the memory of one, every ten seconds."""
    states = (
        [pod("web-0"), pod("web-1")],
        [pod("web-0", status={"phase": "Failed"}), pod("web-1")],
        [pod("web-0", status={"phase": "Failed"}), pod("web-2")],
    )
    with BundleWriter(f"memory://tests-changing/{next(_numbers)}", mesh="lab", layout="test") as writer:
        for number, pods in enumerate(states):
            at = AT + number * STEP
            writer.add("kubernetes.pods", "-", listed("Pod", *pods), captured_at=at, time_source="Date")
            writer.add("envoy.memory", "shop/web-0", b"%d" % number, captured_at=at + STEP / 2, time_source="Date")
        return writer.seal()


@dataclass(frozen=True)
class Said:
    """One answer."""

    code: int
    body: bytes
    date: str

    @property
    def json(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(self.body)
        return made


class Client:
    """Asks a replay as its kubeconfig says."""

    def __init__(self, served: Replay) -> None:
        config = yaml.safe_load(served.kubeconfig.read_text(encoding="utf-8"))
        cluster = config["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.server = str(cluster["server"])
        self.token = str(config["users"][0]["user"]["token"])
        self.tls = ssl.create_default_context(cadata=authority)

    def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        accept: str = "application/json",
        token: str = "",
        body: bytes = b"",
        sent: str = "application/json",
        upgrade: str = "",
    ) -> Said:
        """The answer to a request."""
        headers = {"Authorization": f"Bearer {token or self.token}", "Accept": accept}
        headers |= {"Content-Type": sent} if body else {}
        headers |= {"Upgrade": upgrade} if upgrade else {}
        request = urllib.request.Request(self.server + path, data=body or None, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=20) as said:
                return Said(said.status, said.read(), said.headers["Date"])
        except urllib.error.HTTPError as said:
            return Said(said.code, said.read(), said.headers["Date"])

    def names(self, path: str) -> list[str]:
        """The names of the objects in a list."""
        return [each["metadata"]["name"] for each in self.ask(path).json["items"]]
