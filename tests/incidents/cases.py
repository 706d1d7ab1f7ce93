"""Small cases made by hand: frames and findings in place of a bundle."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pandas as pd

from meshforensics.incidents import Case, declared_incidents, judge
from meshforensics.model import Evidence, Finding, Hypothesis, Window
from meshforensics.profile import load_profile
from meshforensics.testing import frame

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Frames:
    """A source of tables that were captured; every other one was not."""

    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def frame(self, name: str) -> pd.DataFrame:
        return self.frames[name] if name in self.frames else frame(name)

    def over_time(self, name: str) -> pd.DataFrame:
        return self.frame(name)

    def reason(self, name: str, *, over_time: bool = False) -> str:  # noqa: ARG002 - the protocol has it
        return "" if name in self.frames else f"not captured: {name}"

    def evidence_at(self, item: str, pointer: str) -> Evidence:
        return Evidence(item=item, sha256="0" * 64, pointer=pointer)


def judged(incident: str, *findings: Finding, **frames: pd.DataFrame) -> Hypothesis:
    """What `incident` says of a case."""
    return judge(declared_incidents()[incident], case(*findings, **frames))


def judged_beside(other: Hypothesis, incident: str, **frames: pd.DataFrame) -> Hypothesis:
    """What `incident` says where `other` was judged before."""
    return judge(declared_incidents()[incident], replace(case(**frames), others=(other,)))


def case(*findings: Finding, **frames: pd.DataFrame) -> Case:
    """A case of these tables and findings, at noon."""
    return Case(
        source=Frames(frames),
        profile=load_profile(),
        at=NOON,
        window=Window(start=NOON - timedelta(minutes=15), end=NOON),
        findings=findings,
    )


def calls(failed: int, family: str, *, total: int = 100, flags: tuple[str, ...] = ("UF",)) -> pd.DataFrame:
    """Calls of one edge inside the window, of which some failed in one way."""
    bad = [number < failed for number in range(total)]
    return frame(
        "calls",
        namespace=["shop"] * total,
        pod=["web-1"] * total,
        at=[NOON - timedelta(seconds=60 + number) for number in range(total)],
        caller=["shop/web"] * total,
        host=["pay.shop.svc.cluster.local"] * total,
        upstream_host=["10.244.1.9:80"] * total,
        status=[503 if each else 200 for each in bad],
        flags=[flags if each else () for each in bad],
        failed=bad,
        family=[family if each else "" for each in bad],
        decided_by=["caller" if each else "nobody" for each in bad],
    )


def whole_mesh() -> dict[str, pd.DataFrame]:
    """Two proxies of which everything was captured, and nothing is wrong."""
    pods = {"namespace": ["shop", "shop"], "pod": ["web-1", "pay-1"]}
    listed = frame("pods", **pods, phase=["Running"] * 2, injected=[True] * 2, item=["kubernetes.pods:-@unknown"] * 2)
    each = {
        name: frame(name, **pods)
        for name in (
            "proxies", "xds_sync", "certificates", "trust", "listener_instances", "cluster_instances",
            "route_instances", "stats", "log_coverage", "memory", "endpoints",
        )
    }  # fmt: skip
    empty = {name: frame(name) for name in ("rejections", "containers", "calls", "access_log", "tls_pairs", "versions")}
    return {"pods": listed, **each, **empty, "counted_calls": counted(of=pods)}


def counted(failed: int = 0, family: str = "", of: Mapping[str, list[str]] | None = None) -> pd.DataFrame:
    """Calls that the counters of some pods tell, of the ten minutes before noon: 50 that ended well, and some not."""
    pods = of or {"namespace": ["shop"], "pod": ["web-1"]}
    good = len(pods["pod"])
    bad = 1 if failed else 0
    return frame(
        "counted_calls",
        namespace=[*pods["namespace"], *pods["namespace"][:bad]],
        pod=[*pods["pod"], *pods["pod"][:bad]],
        since=[NOON - timedelta(minutes=10)] * (good + bad),
        at=[NOON] * (good + bad),
        caller=["shop/web"] * (good + bad),
        host=["pay.shop.svc.cluster.local"] * (good + bad),
        cluster=["outbound|80||pay.shop.svc.cluster.local"] * (good + bad),
        family=[*[""] * good, *[family] * bad],
        failed=[*[False] * good, *[True] * bad],
        calls=[*[50] * good, *[failed] * bad],
    )
