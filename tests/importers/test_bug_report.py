"""The layouts of several ages, real and built from the description, and what is lacking in them."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshforensics.importers import recognise
from meshforensics.model import SourceError
from tests.importers.reports import CONTEXT, ISTIOD, LIST, LOG, PROXY, imported, report, states, tar, write, zipped

WEB, ISTIOD_POD, ZTUNNEL = "shop/web-1", "istio-system/istiod-7", "istio-system/ztunnel-a"
NOT_IN_SOURCE = "failed: not-in-source"
WITHOUT_LOG = {name: payload for name, payload in report().items() if name != "bug-report.log"}


def _id(path: Path) -> str:
    importer = recognise(path)
    return importer.id if importer else ""


@pytest.mark.parametrize("age", ["1.10", "1.24", "1.31"])
@pytest.mark.parametrize("prefix", ["bug-report/", "", "incident-7/before/bug-report/", "copy/bug-report/bug-report/"])
def test_layouts_built_from_the_description(tmp_path: Path, age: str, prefix: str) -> None:
    source = tar(tmp_path / "x.tar.gz", report(age), prefix=prefix)

    items = imported(source)

    assert _id(source) == "istioctl-bug-report"
    assert {state for state in states(items).values() if state != "captured"} == set()
    assert len(items) == len(report(age))
    assert {item.kind for item in items if item.subject == WEB} == {
        "envoy.certs", "envoy.clusters", "envoy.config_dump", "envoy.listeners", "envoy.memory", "envoy.runtime",
        "envoy.server_info", "envoy.stats_prometheus", "log.istio-proxy",
    }  # fmt: skip
    assert {item.kind for item in items if item.subject == ZTUNNEL} == (
        set() if age == "1.10" else {"log.ztunnel", "ztunnel.config_dump"}
    )


def test_folder_tar_and_zip_are_one_report(tmp_path: Path) -> None:
    folder = write(tmp_path / "folder", report(), prefix="bug-report/")
    sources = [folder, tar(tmp_path / "x.tar.gz", report()), zipped(tmp_path / "x.zip", report())]

    assert imported(*sources) == imported(folder)


@pytest.mark.parametrize(
    "name", ["config_dump_include_eds", "config_dump%3Finclude_eds", "config_dump\uf03finclude_eds"]
)
def test_names_that_windows_gave_are_understood(tmp_path: Path, name: str) -> None:
    members = {each.replace("config_dump?include_eds", name): payload for each, payload in report().items()}

    assert imported(zipped(tmp_path / "x.zip", members)) == imported(zipped(tmp_path / "y.zip", report()))


def test_what_macos_puts_beside_a_report_is_no_second_report(tmp_path: Path) -> None:
    junk = {"__MACOSX/bug-report/._versions": b"\0\5", "bug-report/.DS_Store": b"\0", "bug-report/._cluster": b"\0"}
    members = {f"bug-report/{name}": payload for name, payload in report().items()}

    items = imported(zipped(tmp_path / "x.zip", {**members, **junk}, prefix=""))

    assert [item.detail.partition(" ")[0] for item in items if item.status != "captured"] == sorted(junk)
    assert len(items) == len(report()) + len(junk)


def test_a_folder_called_as_a_part_of_a_report_does_not_mislead(tmp_path: Path) -> None:
    source = tar(tmp_path / "x.tar.gz", report(), prefix="istio/bug-report/")

    assert len(imported(source)) == len(report())


def test_a_namespace_called_bug_report_does_not_mislead(tmp_path: Path) -> None:
    members = {f"bug-report/proxies/bug-report/web-1/{name}": b"{}" for name in ("memory", "certs")}

    said = states(imported(write(tmp_path, {**members, "bug-report/bug-report.log": LOG})))

    assert said["envoy.memory", "bug-report/web-1"] == "captured"


@pytest.mark.parametrize(
    ("gone", "kind", "subject"),
    [
        (f"{PROXY}/config_dump?include_eds", "envoy.config_dump", WEB),
        (f"{PROXY}/certs", "envoy.certs", WEB),
        (f"{PROXY}/clusters", "envoy.clusters", WEB),
        (f"{PROXY}/listeners", "envoy.listeners", WEB),
        (f"{PROXY}/memory", "envoy.memory", WEB),
        (f"{PROXY}/server_info", "envoy.server_info", WEB),
        (f"{PROXY}/stats/prometheus", "envoy.stats_prometheus", WEB),
        (f"{PROXY}/istio-proxy.log", "log.istio-proxy", WEB),
        ("proxies/istio-system/ztunnel-a/config_dump", "ztunnel.config_dump", ZTUNNEL),
        (f"{ISTIOD}/debug/syncz", "istiod.syncz", ISTIOD_POD),
        (f"{ISTIOD}/debug/endpointz", "istiod.endpointz", ISTIOD_POD),
        (f"{ISTIOD}/discovery.log", "log.discovery", ISTIOD_POD),
        (f"{ISTIOD}/metrics", "istiod.metrics", ISTIOD_POD),
        ("cluster/k8s-resources", "foreign.k8s-resources", "-"),
        ("cluster/k8s-cluster-resources", "foreign.k8s-cluster-resources", "-"),
        ("cluster/secrets", "foreign.secrets", "-"),
        ("versions", "foreign.versions", "-"),
        ("bug-report.log", "foreign.bug-report-log", "-"),
    ],
)
def test_what_the_layout_should_hold_and_does_not(tmp_path: Path, gone: str, kind: str, subject: str) -> None:
    members = {name: payload for name, payload in report().items() if name != gone}
    if gone == "versions":  # then the age is not known
        members["bug-report.log"] = LOG

    said = states(imported(tar(tmp_path / "x.tar.gz", members)))

    assert {key for key, state in said.items() if state != "captured"} == {(kind, subject)}
    assert said[kind, subject] == NOT_IN_SOURCE


@pytest.mark.parametrize("gone", [f"{PROXY}/runtime", f"{ISTIOD}/debug/krtz", "cluster/pods", "analyze/allNamespaces"])
def test_what_not_every_report_holds_is_not_missed(tmp_path: Path, gone: str) -> None:
    members = {name: payload for name, payload in report().items() if not name.startswith(gone)}

    assert set(states(imported(tar(tmp_path / "x.tar.gz", members))).values()) == {"captured"}


def test_what_the_layout_of_that_age_did_not_hold_is_not_missed(tmp_path: Path) -> None:
    said = states(imported(tar(tmp_path / "x.tar.gz", report("1.24"))))

    assert ("foreign.k8s-cluster-resources", "-") not in said


def test_what_its_log_says_was_written_is_missed(tmp_path: Path) -> None:
    line = b"2026-11-23T18:48:11Z\tinfo\tDone writing file for path /t/bug-report/bug-report/%s\truntime=1s\n"
    log = line % b"proxies/shop/gone-1/certs" + line % b"proxies/shop/gone-1/netstat" + LOG
    fetched = b"2026-11-23T18:48:11Z\tinfo\tCOMPLETED ProxyGet shop/lost-1:memory\n"

    said = states(imported(write(tmp_path, {**report(), "bug-report.log": fetched + log})))

    gone = {key for key, state in said.items() if state == NOT_IN_SOURCE}
    assert {key for key in gone if key[1] == "shop/gone-1"} == {("envoy.certs", "shop/gone-1")}
    assert len({key for key in gone if key[1] == "shop/lost-1"}) == 8


def test_a_sample_of_a_series_misses_only_what_its_log_says(tmp_path: Path) -> None:
    line = b"2026-11-23T18:48:11Z\tinfo\tproxy shop/%s GET memory: 180 bytes in 0.1s\n"
    members = {"bug-report.log": line % b"web-1" + line % b"web-2", f"{PROXY}/memory": b"{}"}

    said = states(imported(write(tmp_path, members, prefix="series/20261123T184812Z/bug-report/")))

    assert {key: state for key, state in said.items() if key[0] == "envoy.memory"} == {
        ("envoy.memory", WEB): "captured",
        ("envoy.memory", "shop/web-2"): NOT_IN_SOURCE,
    }
    assert len(said) == 3


@pytest.mark.parametrize(
    ("name", "payload", "kind", "state"),
    [
        pytest.param(f"{PROXY}/certs", b"", "envoy.certs", "failed: empty", id="zero-bytes"),
        pytest.param(f"{PROXY}/certs", b"404 page not found", "envoy.certs", "failed: not-the-form", id="error-text"),
        pytest.param(f"{PROXY}/certs", b'{"certificates": [{', "envoy.certs", "partial: truncated", id="cut-json"),
        pytest.param(f"{PROXY}/certs", b'{"a": "caf\xe9", }', "envoy.certs", "failed: not-the-form", id="latin-1"),
        pytest.param("cluster/k8s-resources", LIST[:-45], "foreign.k8s-resources", "partial: truncated", id="cut-yaml"),
        pytest.param("cluster/secrets", LIST, "foreign.secrets", "skipped: hazardous", id="full-secrets"),
        pytest.param("cluster/secrets", b'{"kind": "List"}', "foreign.secrets", "skipped: hazardous", id="as-json"),
        pytest.param("cluster/secrets", b"No resources found\n", "foreign.secrets", "captured", id="no-secrets"),
        pytest.param(f"{PROXY}/cores/0.core", b"\x7fELF", "foreign.cores-0-core", "skipped: hazardous", id="core"),
        pytest.param(f"{PROXY}/new-page", b"text", "foreign.new-page", "captured", id="unknown-member-is-kept"),
        pytest.param("new.txt", b"text", "foreign.new-txt", "captured", id="unknown-file-is-kept"),
    ],
)
def test_what_a_member_is_worth(tmp_path: Path, name: str, payload: bytes, kind: str, state: str) -> None:
    items = imported(tar(tmp_path / "x.tar.gz", {**report(), name: payload}))

    found = [item for item in items if item.kind == kind and item.subject in {WEB, "-"}]

    assert [f"{item.status}: {item.cause}" if item.cause else item.status for item in found] == [state]
    assert found[0].stored == (state not in {"failed: empty", "skipped: hazardous"})


def test_a_namespace_called_cores_is_no_hazard(tmp_path: Path) -> None:
    said = states(imported(write(tmp_path, {"bug-report.log": LOG, "proxies/cores/web-1/memory": b"{}"})))

    assert said["envoy.memory", "cores/web-1"] == "captured"


def test_previous_logs_are_apart(tmp_path: Path) -> None:
    both = b"now\n========= Previous log =========\nthen\n"
    members = {**report(), f"{PROXY}/istio-proxy.log": both, f"{ISTIOD}/discovery.log": both}

    items = imported(write(tmp_path, members))

    assert {(item.kind, item.bytes) for item in items if item.kind.startswith("log.") and item.subject != ZTUNNEL} == {
        ("log.istio-proxy", 4), ("log.istio-proxy.previous", 5), ("log.discovery", 4), ("log.discovery.previous", 5),
    }  # fmt: skip


def test_pages_that_changed_their_name_and_pods_whose_dump_tells_what_they_are(tmp_path: Path) -> None:
    members = {name: payload for name, payload in report().items() if not name.endswith("/endpointz")}
    members[f"{ISTIOD}/debug/endpointShardz"] = b"{}"
    members["proxies/ambient/l4-proxy/config_dump"] = b'{"workloads": [], "services": []}'
    members["cni/cni-1/cni.log"] = b"x\n"
    members["bug-report.log"] = b"2026-11-23T18:48:11Z\tinfo\tGetting logs for kube-system/cni-1/...\n" + LOG

    said = states(imported(write(tmp_path, members)))

    assert said["istiod.endpointz", ISTIOD_POD] == "captured"
    assert said["ztunnel.config_dump", "ambient/l4-proxy"] == "captured"
    assert said["foreign.cni-log", "kube-system/cni-1"] == "captured"


def test_capture_time_is_of_each_fetch_else_of_the_log(tmp_path: Path) -> None:
    log = b"2026-11-23T18:48:11.5Z\tinfo\tproxy shop/web-1 GET memory: 180 bytes in 0.1s\n" + LOG

    items = imported(tar(tmp_path / "x.tar.gz", {**report(), "bug-report.log": log}))

    times = {item.kind: (str(item.captured_at), item.time_source) for item in items if item.subject == WEB}
    assert times["envoy.memory"] == ("2026-11-23 18:48:11.500000+00:00", "bug-report.log")
    assert times["envoy.certs"] == ("2026-11-23 18:48:12.500000+00:00", "bug-report.log")


@pytest.mark.parametrize("make", [tar, zipped])
def test_without_a_log_the_archive_or_the_evidence_tells_the_time(tmp_path: Path, make: object) -> None:
    members = {
        **WITHOUT_LOG,
        f"{ISTIOD}/discovery.log": b"2026-11-23T18:40:00Z\tinfo\tx\n",
        f"{PROXY}/istio-proxy.log": b"",
    }
    assert callable(make)

    (said,) = {(str(item.captured_at), item.time_source) for item in imported(make(tmp_path / "x", members))}

    archive, evidence = (
        ("2026-11-23 18:48:12+00:00", "archive-member"),
        ("2026-11-23 18:49:59+00:00", "evidence"),  # the last push in syncz
    )
    assert said == (archive if make is tar else evidence)  # a zip's plain times are of no known zone


def test_without_any_time_it_is_unknown_and_never_that_of_a_folder(tmp_path: Path) -> None:
    silent = (".log", "adsz", "syncz", "config_dump?include_eds")
    members = {name: payload for name, payload in WITHOUT_LOG.items() if not name.endswith(silent)}

    said = {(item.captured_at, item.time_source) for item in imported(write(tmp_path, members))}

    assert said == {(None, "unknown")}


def test_before_and_during_are_a_series(tmp_path: Path) -> None:
    write(tmp_path, report(), prefix="before/bug-report/")
    write(tmp_path, {**report(), "bug-report.log": LOG.replace(b"T18", b"T19")}, prefix="during/bug-report/")

    items = imported(tmp_path)

    assert [str(item.captured_at.time()) for item in items if item.captured_at and item.kind == "envoy.memory"] == [
        "18:48:12.500000",
        "19:48:12.500000",
    ]


def test_a_folder_of_archives_is_a_series(tmp_path: Path) -> None:
    for hour in (b"T18", b"T19"):
        tar(tmp_path / f"{hour.decode()}.tar.gz", {**report(), "bug-report.log": LOG.replace(b"T18", hour)})

    assert len([item for item in imported(tmp_path) if item.kind == "envoy.memory"]) == 2


def test_reports_of_different_meshes_are_an_error_that_names_both(tmp_path: Path) -> None:
    write(tmp_path, report(), prefix="a/bug-report/")
    write(tmp_path, {**report(), "cluster/cluster-context": b"prod https://10.9.9.9\n"}, prefix="b/bug-report/")

    with pytest.raises(SourceError) as caught:
        imported(tmp_path)

    assert f"{tmp_path}/a/bug-report (lab at https://10.0.0.1:6443)" in str(caught.value)
    assert f"{tmp_path}/b/bug-report (prod at https://10.9.9.9)" in str(caught.value)


def test_the_log_names_the_mesh_where_the_context_does_not(tmp_path: Path) -> None:
    log = b"2026-11-23T18:48:11Z\tinfo\t\nTarget cluster context: prod\n\nCluster endpoint: https://10.9.9.9\n" + LOG
    write(tmp_path / "a", report())
    write(tmp_path / "b", {**report(), "cluster/cluster-context": b"error: no context", "bug-report.log": log})

    with pytest.raises(SourceError, match=r"prod at https://10\.9\.9\.9"):
        imported(tmp_path / "a", tmp_path / "b")


def test_files_beside_the_report_are_listed_and_not_stored(tmp_path: Path) -> None:
    write(tmp_path, {**report(), "README.md": b"# secret"})

    (item,) = [item for item in imported(tmp_path) if item.kind == "unknown"]

    assert (item.status, item.cause, item.stored) == ("skipped", "not-the-form", False)
    assert item.detail == "README.md lies beside the report and is no part of it"


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.8, 0.95, 0.99])
def test_of_a_cut_archive_what_is_whole_is_used(tmp_path: Path, share: float) -> None:
    names = ["bug-report.log", "versions", *(name for name in report() if name not in {"bug-report.log", "versions"})]
    members = {name: report()[name] for name in names}
    whole = tar(tmp_path / "whole.tar.gz", members).read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole[: int(len(whole) * share)])

    items = imported(cut)

    captured = {item.kind for item in items if item.status == "captured"}
    assert {"foreign.bug-report-log", "foreign.versions"} <= captured
    assert [item.cause for item in items if item.kind == "foreign.archive"] == ["truncated"]
    assert {item.cause for item in items if item.status != "captured"} == {"truncated"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), share=st.floats(0, 1))
def test_whatever_members_are_deleted_nothing_is_raised(tmp_path: Path, seed: int, share: float) -> None:
    chance = random.Random(seed)
    members = {name: payload for name, payload in report().items() if chance.random() > share}
    source = tar(tmp_path / "x.tar", {"bug-report.log": LOG, **members}, mode="w")

    said = states(imported(source))

    assert all(state in {"captured", NOT_IN_SOURCE, "failed: empty"} for state in said.values())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(report())), payload=st.binary(max_size=300))
def test_whatever_a_member_holds_nothing_is_raised(tmp_path: Path, name: str, payload: bytes) -> None:
    said = imported(tar(tmp_path / "x.tar", {**report(), name: payload}, mode="w"))

    assert len(said) >= len(report())


def test_a_real_archive_of_1_20(corpus: Path) -> None:
    archive = corpus / "bugreport" / "istio_2023-09_bug-report.tar.gz"

    items = imported(archive)

    assert set(states(items).values()) == {"captured"}
    assert len(items) == 203 + 5  # five restarted proxies
    assert {item.time_source for item in items} == {"bug-report.log"}
    assert len([item for item in items if item.kind == "envoy.config_dump"]) == 17
    assert {item.subject for item in items if item.kind == "foreign.cni-log"} == {
        f"kube-system/istio-cni-node-{name}" for name in ("9dk77", "mw8sj", "wpwvb")
    }


def test_a_real_report_and_a_part_of_it_are_one(corpus: Path) -> None:
    archive, folder = "istio_2023-09_bug-report.tar.gz", "istio_2023-09"

    part = imported(corpus / "bugreport" / folder)

    assert len([item for item in part if item.cause == "not-in-source"]) == 117
    both = imported(corpus / "bugreport" / archive, corpus / "bugreport" / folder)
    assert [(item.id, item.status) for item in both] == [
        (item.id, item.status) for item in imported(corpus / "bugreport" / archive)
    ]


def test_a_real_report_of_1_17(corpus: Path) -> None:
    said = states(imported(corpus / "bugreport" / "istio_2023-05"))

    assert {key for key, state in said.items() if state != "captured"} == {
        ("foreign.k8s-resources", "-"),
        ("log.discovery", "istio-system/istiod-7bf5f89d87-bmlhz"),
        ("log.istio-proxy", "istio-system/istio-ingressgateway-55658dd497-zql8c"),
    }


def test_real_reports_of_two_meshes_are_an_error(corpus: Path) -> None:
    with pytest.raises(SourceError, match=r"gke_siyiwang-experimental_us-central1_istio-exp .* and .* \(one13900"):
        imported(corpus / "bugreport")


@pytest.mark.parametrize(
    ("name", "samples", "proxies"),
    [
        ("01-ca-rotation", 1, 8),
        ("05-upgrade-503", 1, 8),
        ("11-memory-connection-pileup", 11, 4),
        ("14-healthy-baseline", 1, 8),
    ],
)
def test_the_examples_are_series(examples: Path, name: str, samples: int, proxies: int) -> None:
    items = imported(examples / name)

    memory = [item for item in items if item.kind == "envoy.memory"]
    assert {item.time_source for item in items if item.kind != "unknown"} == {"bug-report.log"}
    assert {item.kind for item in items if item.status != "captured"} == {
        "istiod.endpointz", "istiod.push_status", "istiod.registryz", "unknown",
    }  # fmt: skip
    assert (len({item.captured_at for item in memory}) >= samples, len({item.subject for item in memory})) == (
        True,
        proxies,
    )


def test_the_context_of_the_description(tmp_path: Path) -> None:
    assert CONTEXT.startswith(b"* ")
    write(tmp_path, report())

    assert [item.status for item in imported(tmp_path) if item.kind == "foreign.cluster-context"] == ["captured"]
