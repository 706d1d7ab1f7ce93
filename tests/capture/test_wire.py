"""Both ends of the wire: what is replayed comes back, by whatever way."""

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

import meshforensics as mf
from meshforensics.bundle import Bundle, BundleWriter
from meshforensics.formats.kubernetes import decode
from meshforensics.importers import import_evidence
from meshforensics.investigation import Investigation
from meshforensics.tables import visible
from tests.capture.world import Handler, by_name, cut, mesh, refuse, shipped, shop, take

pytestmark = pytest.mark.usefixtures("untraced")

CAPTURES = ("ca-rotation", "healthy", "memory-leak", "upgrade-503")


def evidence(bundle: Bundle) -> dict[tuple[str, str], str | None]:
    """Pages and logs as of the bundle's instant, by kind and subject."""
    items = visible(bundle.items, bundle.at, over_time=False)
    return {
        (item.kind, item.subject): item.sha256
        for item in items
        if item.kind.partition(".")[0] in {"envoy", "istiod", "log"}
    }


def told(bundle: Bundle) -> dict[tuple[str, str], str | None]:
    """The versions of istiods that a report lists, as those would have said them: replay has them beside evidence."""
    return {key: value for key, value in evidence(bundle).items() if key[0] == "istiod.version"}


def objects(bundle: Bundle) -> Counter[str]:
    """Every object as canonical JSON; but not those that replay made because nobody captured them."""
    found: Counter[str] = Counter()
    for item in visible(bundle.items, bundle.at, over_time=False):
        lists = item.kind.startswith("kubernetes.") and item.kind != "kubernetes.version"
        if lists or item.kind in {"foreign.k8s-resources", "foreign.k8s-cluster-resources", "foreign.crs"}:
            found.update(
                json.dumps(one.body, sort_keys=True)
                for one in decode(bundle.read(item))
                if "meshforensics.dev/stand-in" not in one.annotations
            )
    return found


def of_one_instant(bundle: Bundle, into: Path) -> Path:
    """The bundle without what is older than the newest of its kind and subject: what an instant can show of it."""
    kept = visible(bundle.items, bundle.at, over_time=False)
    with BundleWriter(str(into), mesh="lab", layout="test") as writer:
        for item in kept:
            writer.add(
                item.kind, item.subject, bundle.read(item), captured_at=item.captured_at, time_source=item.time_source
            )
        writer.miss_all(item for item in bundle.items if not item.stored)
        writer.seal()
    return into


def same(before: Investigation, again: Path) -> None:
    """The verdict and the findings of both ends of the wire."""
    after = mf.open(again)

    assert (after.verdict.incident, after.verdict.status, after.verdict.confidence) == (
        before.verdict.incident,
        before.verdict.status,
        before.verdict.confidence,
    )
    assert [(each.check, each.severity, each.subjects) for each in after.findings] == [
        (each.check, each.severity, each.subjects) for each in before.findings
    ]


@pytest.mark.parametrize("name", CAPTURES)
def test_capture_of_a_replay_gives_evidence_verdict_and_findings_back(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = shipped(name)
    with mesh(source, monkeypatch):
        again = take(tmp_path / "again").bundle

    assert evidence(again) == {**evidence(source), **told(again)}
    assert objects(again) == objects(source)
    same(mf.open(of_one_instant(source, tmp_path / "instant")), tmp_path / "again")


class Beats:
    """A clock that two ends share: it moves on whenever a pass over the mesh begins, however long that takes."""

    def __init__(self, start: datetime, step: float) -> None:
        self.start = start - timedelta(seconds=step)
        self.seconds = 0.0
        self._step = step

    async def beat(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Move on where a pass begins: by the list of its pods."""
        if request.path == "/api/v1/pods":
            self.seconds += self._step
        return await handler(request)

    def now(self) -> datetime:
        """What time it is."""
        return self.start + timedelta(seconds=self.seconds)


def test_a_trend_comes_back_where_time_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _passes("captures/memory-leak", "envoy.memory", 8, monkeypatch, tmp_path)


def test_a_change_comes_back_where_time_passes(examples: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parts = [examples / "05-upgrade-503" / part for part in ("before", "during")]
    source = import_evidence(parts, str(tmp_path / "imported"))

    _passes(source.url, "foreign.crs", 0, monkeypatch, tmp_path)


def _passes(path: str, first: str, samples: int, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Capture a mesh that is replayed from its first item of a kind on, and compare."""
    source = mf.open(path).bundle
    assert source.at is not None
    begin = min(item.captured_at for item in source.items if item.kind == first and item.captured_at)
    beats = Beats(begin, ((source.at - begin).total_seconds() + 0.001) / (samples + 1))  # the last pass is at the end
    monkeypatch.setattr("meshforensics.replay._moments.monotonic", lambda: beats.seconds)
    monkeypatch.setattr("meshforensics.capture._record.now", beats.now)

    with mesh(source, monkeypatch, beats.beat, begin=beats.start):
        again = take(folder / "again", watch=(samples + 0.5) * 0.6, every=0.6).bundle

    assert evidence(again) == {**evidence(source), **told(again)}
    before, after = mf.open(path), mf.open(folder / "again")
    assert (after.verdict.incident, after.verdict.status) == (before.verdict.incident, before.verdict.status)
    assert [(each.check, each.severity, each.subjects) for each in after.findings] == [
        (each.check, each.severity, each.subjects) for each in before.findings
    ]


@pytest.mark.parametrize(
    "name", ["01-ca-rotation/during", "05-upgrade-503/before", "11-memory-connection-pileup/during"]
)
def test_what_an_example_held_comes_back(
    name: str, examples: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = mf.open(examples / name)
    with mesh(source.bundle, monkeypatch):
        again = take(tmp_path / "again").bundle

    assert evidence(again) == {**evidence(source.bundle), **told(again)}
    assert objects(again) == objects(source.bundle)
    same(source, tmp_path / "again")


def test_exec_gives_the_same_where_port_forward_is_not_permitted(monkeypatch: pytest.MonkeyPatch) -> None:
    source = shipped("healthy")

    async def no_forward(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.endswith("/portforward"):
            return await refuse(403)(request)
        return await handler(request)

    with mesh(source, monkeypatch, no_forward) as asked:
        again = take().bundle

    assert evidence(again) == {**evidence(source), **told(again)}
    assert len(asked.paths("/portforward")) < len(asked.paths("/exec"))


def test_one_namespace_and_the_control_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shipped("healthy"), monkeypatch):
        again = take(namespaces=("risk",)).bundle

    subjects = {item.subject for item in again.items if item.kind.startswith(("envoy.", "istiod."))}
    assert {subject.partition("/")[0] for subject in subjects} == {"istio-system", "risk"}
    assert {item.subject for item in again.items if item.kind == "kubernetes.pods"} == {
        "Namespace:risk",
        "Selector:app=istiod",
    }


def test_one_pod_and_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shop(3), monkeypatch):
        again = take(pods=("shop/web-001", "shop/nobody")).bundle

    found = by_name(again)
    assert {subject for kind, subject in found if kind == "envoy.config_dump"} == {"shop/web-001", "shop/nobody"}
    assert found["envoy.config_dump", "shop/nobody"].status == "absent"


def test_where_only_namespaces_may_be_listed_each_is_listed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def only_within(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in {"/api/v1/pods", "/api/v1/services"}:
            return await refuse(403)(request)
        return await handler(request)

    source = shipped("healthy")
    with mesh(source, monkeypatch, only_within):
        again = take().bundle

    pods = {item.subject: item.status.value for item in again.items if item.kind == "kubernetes.pods"}
    assert pods == {
        "-": "failed",
        "Namespace:bank": "captured",
        "Namespace:istio-system": "captured",
        "Namespace:risk": "captured",
    }
    assert evidence(again) == {**evidence(source), **told(again)}


def test_times_are_by_the_clock_of_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shop(), monkeypatch):
        again = take().bundle

    assert again.at is not None
    assert abs((again.at - shop().items[0].captured_at).total_seconds()) < 60  # type: ignore[operator]  # it is known
    version = by_name(again)["kubernetes.version", "-"]
    assert version.detail.startswith("the clock of the API server is ")
    assert {item.time_source for item in again.items} == {"API server"}


def test_logs_of_applications_are_read_where_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shop(1), monkeypatch) as asked:
        again = take(application_logs=True, log_since=90.0).bundle

    found = by_name(again)
    assert ("log.app", "shop/web-000") in found
    assert ("log.app", "istio-system/istiod-1") not in found
    assert "/api/v1/namespaces/shop/pods/web-000/log" in asked.paths("/log")
    assert found["log.istio-proxy", "shop/web-000"].status == "failed"  # a line without time is of no known age


def test_the_pods_of_whole_pages_are_visited_where_a_list_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_off(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/api/v1/pods" and request.query.get("continue"):
            return await cut(request)
        return await handler(request)

    monkeypatch.setattr("meshforensics.capture._lists.PAGE", 3)
    with mesh(shop(5), monkeypatch, break_off):
        again = take().bundle

    found = by_name(again)
    assert found["kubernetes.pods", "-"].status == "partial"
    assert len([kind for kind, _ in found if kind == "envoy.config_dump"]) == 2
    assert found["istiod.syncz", "istio-system/istiod-1"].status == "captured"
