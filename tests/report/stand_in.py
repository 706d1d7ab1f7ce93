"""A case made by hand: two roots, one service refused, with text that would be markup if it could."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pandas as pd

from meshforensics.formats.place import Excerpt, excerpt
from meshforensics.model import (
    Cause,
    Evidence,
    Finding,
    Ground,
    Hypothesis,
    Impact,
    Item,
    Missing,
    NotEvaluated,
    Phase,
    Plane,
    Quantity,
    Severity,
    Standing,
    Status,
    Window,
)
from meshforensics.profile import Profile, load_profile
from meshforensics.testing import frame

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
LOG = b"""[first] fine
[second] "GET /<script>alert(1)</script> HTTP/1.1" 503 `x` | **bold** </pre></details>
[third] fine
"""
LINES = Evidence(item="log.istio-proxy:shop/search-1@2026-01-01T12:00:00Z", sha256="ab" * 32, pointer="L2")


def at(seconds: float) -> pd.Timestamp:
    """So many seconds before noon."""
    return pd.Timestamp(NOON - timedelta(seconds=seconds))


@dataclass(frozen=True, kw_only=True)
class StandInBag:
    id: str = "37a472112e8d3557c9a6431d73cd1ead5f928e0afa85722f13eb84b8a8a84be6"
    at: datetime | None = NOON
    window: tuple[datetime | None, datetime | None] = (NOON - timedelta(seconds=30), NOON)
    mesh: str = "mesh.shop"
    tool: str = "istioctl 1.31.0"
    layout: str = "istioctl-bug-report"
    url: str = "memory://x"
    items: tuple[Item, ...] = ()


WINDOW = Window(start=NOON - timedelta(minutes=15), end=NOON)


@dataclass(frozen=True, kw_only=True)
class StandIn:
    bundle: StandInBag = StandInBag()
    at: datetime | None = NOON
    window: Window | None = WINDOW
    profile: Profile = field(default_factory=load_profile)
    findings: tuple[Finding, ...] = ()
    not_evaluated: tuple[NotEvaluated, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    payload: bytes = LOG

    @property
    def not_captured(self) -> tuple[Item, ...]:
        return tuple(item for item in self.bundle.items if item.status != Status.CAPTURED)

    def frame(self, name: str) -> pd.DataFrame:
        return self.frames.get(name, empty(name))

    def over_time(self, name: str) -> pd.DataFrame:
        return self.frame(name)

    def reason(self, name: str, *, over_time: bool = False) -> str:  # noqa: ARG002 - the protocol has it
        return self.reasons.get(name, "" if name in self.frames else f"not captured: {name}")

    def evidence_at(self, item: str, pointer: str) -> Evidence:
        return Evidence(item=item, sha256=LINES.sha256, pointer=pointer)

    def evidence(self, of: Finding | Evidence) -> tuple[Excerpt, ...]:
        places: Iterable[Evidence] = of.evidence if isinstance(of, Finding) else (of,)
        return tuple(excerpt(self.payload, place.pointer if place.pointer[:1] == "L" else "") for place in places)


@cache
def empty(name: str) -> pd.DataFrame:
    """A frame without rows, with the columns that the table declares."""
    return table(name, [])


def table(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A frame with the columns that the table declares; `item` and `pointer` are filled in."""
    filled = [{"item": f"{name}:-@unknown", "pointer": f"/{n}", **row} for n, row in enumerate(rows)]
    columns = dict.fromkeys(column for row in filled for column in row)
    return frame(name, **{column: [row.get(column) for row in filled] for column in columns})


def _call(seconds: float, caller: str, host: str, upstream: str, *, failed: bool, own: bool) -> dict[str, Any]:
    return {
        "namespace": "shop",
        "pod": f"{caller}-1",
        "at": at(seconds),
        "caller": f"shop/{caller}",
        "host": f"{host}.shop.svc.cluster.local",
        "upstream_host": upstream,
        "status": 503 if failed else 200,
        "flags": ("UF",) if own else (),
        "failed": failed,
        "family": "tls-unknown-root" if own else "",
        "decided_by": "caller" if own else ("upstream" if failed else "nobody"),
    }


PODS = {"gateway": "10.0.0.1", "search": "10.0.0.2", "pricing": "10.0.0.3", "seats": "10.0.0.4"}


def _calls() -> list[dict[str, Any]]:
    rows = []
    for second in range(60, 0, -1):
        bad = second <= 20
        rows.append(_call(second, "gateway", "search", "10.0.0.2:8080", failed=bad, own=False))
        rows.append(_call(second - 0.01, "search", "pricing", "10.0.0.3:8080", failed=bad, own=bad))
        rows.append(_call(second - 0.02, "search", "seats", "10.0.0.4:8080", failed=False, own=False))
    return rows


@cache
def _frames() -> dict[str, pd.DataFrame]:
    old, new = {"serial": "5c443ed150e2", "spki": "aa"}, {"serial": "2d23a66ac938", "spki": "bb"}
    pods = [{"namespace": "shop", "pod": f"{name}-1"} for name in PODS]
    rooted = [{**pod, **(new if pod["pod"] == "pricing-1" else old)} for pod in pods]
    life = {"not_before": NOON - timedelta(hours=1), "not_after": NOON + timedelta(hours=23)}
    long = {"not_before": NOON - timedelta(days=30), "not_after": NOON + timedelta(days=3619)}
    return {
        "calls": table("calls", _calls()),
        "proxies": table(
            "proxies",
            [
                {
                    **pod,
                    "version": "1.31.0",
                    "build": "1.40.0",
                    "captured_at": at(0),
                    "role": "router" if pod["pod"] == "gateway-1" else "sidecar",
                    "workload": pod["pod"].removesuffix("-1"),
                }
                for pod in pods
            ],
        ),
        "pods": table(
            "pods",
            [
                {
                    **pod,
                    "ip": PODS[pod["pod"].removesuffix("-1")],
                    "workload": f"Deployment:shop/{pod['pod'].removesuffix('-1')}",
                    "injected": True,
                    "phase": "Running",
                }
                for pod in pods
            ],
        ),
        "trust": table("trust", rooted),
        "tls_pairs": table(
            "tls_pairs",
            [
                {
                    "namespace": "shop",
                    "pod": "search-1",
                    "server_namespace": "shop",
                    "server_pod": server,
                    "verified": server == "seats-1",
                }
                for server in ("pricing-1", "seats-1")
            ],
        ),
        "certificates": table(
            "certificates",
            [
                *({**row, **long, "role": "root"} for row in rooted),
                *({**pod, **life, "role": "leaf", "serial": f"0{n}aa"} for n, pod in enumerate(pods)),
            ],
        ),
        "xds_sync": table(
            "xds_sync",
            [{**pod, "istiod": "istio-system/istiod-1", "type": "cds", "status": "SYNCED"} for pod in pods],
        ),
        "secret_instances": table(
            "secret_instances",
            [{"namespace": "shop", "pod": "pricing-1", "name": "ROOTCA", "last_updated": at(20.5)}],
        ),
        "istiod_log": table(
            "istiod_log",
            [
                {
                    "namespace": "istio-system",
                    "pod": "istiod-1",
                    "at": at(20.6),
                    "message": "Update ca cert files: root certificate changed",
                }
            ],
        ),
        "cluster_instances": table(
            "cluster_instances", [{**pod, "item": f"envoy.config_dump:shop/{pod['pod']}@x"} for pod in pods]
        ),
        **{name: empty(name) for name in ("signatures", "rejections", "containers", "config", "events")},
    }


def _items() -> tuple[Item, ...]:
    held = (
        Item(kind="envoy.config_dump", subject=f"shop/{name}-1", status=Status.CAPTURED, captured_at=NOON, path=name,
             sha256="cd" * 32, bytes=1000)
        for name in PODS
    )  # fmt: skip
    lost = Item(
        kind="envoy.memory", subject="shop/seats-1", status=Status.FAILED, cause=Cause.TIMEOUT, detail="<b>5 s</b>"
    )
    return (*held, lost)


def finding(**changes: Any) -> Finding:
    """A finding that quotes a line with a script in it."""
    made = Finding(
        check="traffic.server-errors",
        severity=Severity.CRITICAL,
        phase=Phase.TRAFFIC,
        plane=Plane.SERVICE,
        title="Calls fail on an edge",
        detail="search to pricing: 20 of 60 calls failed",
        subjects=("shop/search",),
        evidence=(LINES,),
        evidence_total=20,
        observed=Quantity(name="share", value=0.333, unit="ratio"),
        threshold=Quantity(name="traffic.response-5xx-share", value=0.05, unit="ratio"),
        at=NOON - timedelta(seconds=20),
        remediation="Read who decided.",
        source="guide, phase 2",
    )
    return replace(made, **changes)


def hypothesis(**changes: Any) -> Hypothesis:
    """The verdict of the stand-in."""
    made = Hypothesis(
        incident="ca-rotation",
        status=Standing.SUPPORTED,
        confidence=0.97,
        for_=(Ground(text="2 sets of roots share none", check="traffic.server-errors", evidence=(LINES,)),),
        missing=(Missing(kind="envoy.memory", subject="shop/seats-1", why="timeout", command="kubectl exec x"),),
        subjects=("shop/pricing-1",),
        onset=NOON - timedelta(seconds=20.4),
        summary="The root CA was replaced without an overlap. search refuses pricing.",
        impact=Impact(failed=20, total=60, services=("pricing.shop.svc.cluster.local",)),
        next="Give every proxy both roots.",
        explained=20,
    )
    return replace(made, **changes)


def case(**changes: Any) -> StandIn:
    """The whole stand-in, with some parts changed."""
    refuted = Hypothesis(
        incident="leaf-expired",
        status=Standing.REFUTED,
        confidence=0.0,
        against=(Ground(text="4 of 4 leaves are valid", check="certificates.leaf-expired"),),
    )
    open_ = Hypothesis(
        incident="memory-leak",
        status=Standing.UNDETERMINED,
        confidence=0.0,
        missing=(Missing(kind="envoy.memory", subject="-", why="one sample a proxy"),),
    )
    made = StandIn(
        bundle=StandInBag(items=_items()),
        findings=(finding(), finding(check="sync.stale", severity=Severity.WARNING, plane=Plane.CONTROL, observed=None,
                                     threshold=None, evidence_total=1)),
        not_evaluated=(NotEvaluated(check="metrics.growth", reason="not captured: samples"),),
        hypotheses=(hypothesis(), open_, refuted),
        frames=_frames(),
    )  # fmt: skip
    return replace(made, **changes)
