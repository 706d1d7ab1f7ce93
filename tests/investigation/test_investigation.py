"""What `mf.open` returns: tables as attributes, as of one instant; SQL; evidence verbatim."""

import gc
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pytest

import meshforensics as mf
from meshforensics.bundle import BundleWriter
from meshforensics.investigation import Investigation
from meshforensics.investigation._open import parse_span
from meshforensics.model import UnknownNameError, UsageError, parse_time
from meshforensics.profile import load_profile
from tests.conftest import Opened
from tests.copying import copy_item

pytestmark = pytest.mark.usefixtures("untraced")


@pytest.fixture(scope="module")
def case(captures: Path, opened: Opened) -> Investigation:
    return opened(captures / "ca-rotation")


def test_tables_are_attributes_that_can_be_completed(case: Investigation) -> None:
    assert set(case.tables.index) <= set(dir(case))
    assert len(case.certificates) > 0
    with pytest.raises(AttributeError, match="no table or attribute 'nothing'"):
        _ = case.nothing


def test_sql_asks_the_tables(case: Investigation) -> None:
    said = case.sql("select serial, count(distinct pod) as pods from trust group by serial order by pods")

    assert said.to_numpy().tolist() == [
        ["754d7df240c6bdeaf2d726f4a19e3f88da6f26bb", 1],
        ["1870318dd9a82886e740c6c9b261f7d3243185cb", 7],
    ]


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("select count(*) from memory join proxies using (namespace, pod)", id="using"),
        pytest.param("select count(*) from MEMORY natural join (select namespace, pod from Proxies)", id="any-case"),
        pytest.param("with m as (select pod from memory) select count(*) from m join proxies using (pod)", id="with"),
    ],
)
def test_sql_joins_tables(case: Investigation, query: str) -> None:
    assert case.sql(query).to_numpy().tolist() == [[len(case.proxies)]]


@pytest.mark.parametrize("query", ["select * from read_csv('/etc/passwd')", "copy (select 1) to '/tmp/x.csv'"])
def test_sql_reaches_nothing_else(case: Investigation, query: str) -> None:
    with pytest.raises((duckdb.Error, UsageError)):
        case.sql(query)


def test_sql_names_the_tables_that_there_are(case: Investigation) -> None:
    with pytest.raises(UnknownNameError, match="certificates"):
        case.sql("select * from nothing")


def test_an_earlier_instant_hides_what_came_later(captures: Path) -> None:
    before = mf.open(captures / "ca-rotation", at="2026-11-26T05:23:50Z")

    assert before.trust["serial"].nunique() == 1
    times = {item.id: item.captured_at for item in before.bundle.items}
    held = [times[item] for item in set(before.trust["item"])]
    assert before.at is not None
    assert [at for at in held if at is None or at > before.at] == []
    assert next(each for each in before.hypotheses if each.incident == "ca-rotation").status != "supported"


def test_a_later_instant_moves_only_the_clock(captures: Path, case: Investigation) -> None:
    assert case.at is not None
    later = mf.open(captures / "ca-rotation", at=case.at + timedelta(days=2))

    assert len(later.certificates) == len(case.certificates)
    assert "certificates.leaf-expired" in {each.check for each in later.findings}
    assert "certificates.leaf-expired" not in {each.check for each in case.findings}


def test_over_time_has_every_sample(captures: Path) -> None:
    series = mf.open(captures / "memory-leak")

    samples = series.over_time("memory").groupby(["namespace", "pod"], observed=True).size()
    assert sorted(samples) == [6] * 8
    assert len(series.memory) == 8


def test_evidence_is_verbatim(case: Investigation) -> None:
    finding = next(each for each in case.findings if each.check == "signatures.tls")
    item = next(each for each in case.bundle.items if each.id == finding.evidence[0].item)

    shown = case.evidence(finding)

    assert len(shown) == len(finding.evidence) == 20
    assert "CERTIFICATE_VERIFY_FAILED" in shown[0].marked
    assert shown[0].marked.encode() in case.bundle.read(item)
    assert finding.evidence[0].sha256 == item.sha256


def test_a_namespace_narrows_the_findings_and_not_the_verdict(case: Investigation) -> None:
    narrowed = case.within("istio-system")

    assert narrowed.verdict == case.verdict
    assert 0 < len(narrowed.findings) < len(case.findings)
    with pytest.raises(UnknownNameError, match="istio-system"):
        case.within("nowhere")


def test_without_a_capture_time_what_needs_it_is_not_evaluated(captures: Path) -> None:
    source = mf.open_bundle(str(captures / "healthy"))
    with BundleWriter("memory://investigation/timeless") as writer:
        for item in source.items:
            copy_item(writer, source, item, times=False)
        timeless = Investigation(bundle=writer.seal(), profile=load_profile())

    reasons = {each.check: each.reason for each in timeless.not_evaluated}
    assert (timeless.at, timeless.window) == (None, None)
    assert reasons["certificates.leaf-expired"] == "capture time unknown, give --at"
    assert "proxies.not-ready" not in reasons
    assert timeless.verdict.status == "undetermined"


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86400)])
def test_spans(text: str, seconds: int) -> None:
    assert parse_span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "m", "-5m", "0s", "1w"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write it like"):
        parse_span(text)


def test_the_window_is_the_users_or_the_profiles(captures: Path) -> None:
    narrow = mf.open(captures / "ca-rotation", window="10s")

    assert narrow.window is not None
    assert narrow.window.start == parse_time("2026-11-26T05:23:58.604047Z")
    assert narrow.verdict.impact is not None
    assert narrow.verdict.impact.failed < 108


def test_what_was_read_on_the_fly_is_given_back_at_the_next_opening(tmp_path: Path) -> None:
    source = tmp_path / "memory"
    source.write_text('{"allocated": "1", "heap_size": "2"}')
    opened = mf.open(source)
    filesystem, root = fsspec.core.url_to_fs(opened.bundle.url)
    assert filesystem.find(root)

    del opened
    gc.collect()
    again = mf.open(source)

    assert not filesystem.exists(root)
    assert filesystem.find(fsspec.core.url_to_fs(again.bundle.url)[1])


def test_evidence_of_every_page_of_a_list_is_shown_and_a_lost_place_costs_only_its_excerpt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two pages of one list are one item: two JSON documents, one after the other."""
    broken: dict[str, Any] = {
        "metadata": {"name": "web-1", "namespace": "shop"},
        "spec": {"containers": [{"name": "istio-proxy"}]},
    }
    ended = {"name": "istio-proxy", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 9}
    broken["status"] = {"phase": "Running", "containerStatuses": [ended]}
    pages = [{"kind": "PodList", "apiVersion": "v1", "items": items} for items in ([], [broken])]
    with BundleWriter(str(tmp_path / "b"), mesh="", layout="test") as writer:
        at = parse_time("2026-11-23T18:48:02Z")
        writer.add(
            "kubernetes.pods", "-", "\n".join(map(json.dumps, pages)).encode(), captured_at=at, time_source="Date"
        )
        writer.seal()

    shown = [each for finding in mf.open(tmp_path / "b").findings for each in finding.evidence]
    monkeypatch.setattr("meshforensics.formats.place._several_json", lambda _: None)
    lost = [each for finding in mf.open(tmp_path / "b").findings for each in finding.evidence]

    assert {each.pointer[:13] for each in shown} == {"#doc2/items/0"}
    assert all("CrashLoopBackOff" in each.excerpt or "restartCount" in each.excerpt for each in shown)
    assert {each.excerpt[:11] for each in lost} == {"(not shown:"}


@pytest.mark.parametrize("path", ["", [], [""]])
def test_without_a_path_one_is_asked_for(path: str | list[str]) -> None:
    with pytest.raises(UsageError, match=r"no path given: .* captures/ca-rotation"):
        mf.open(path)
