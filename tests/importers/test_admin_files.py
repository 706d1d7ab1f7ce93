"""Loose admin files, folders of them, and what tells whose they are and when they were captured."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshforensics.importers import import_evidence, recognise
from meshforensics.model import SourceError
from tests.importers.reports import AT, LIST, data, imported, states, tar, write

DUMP = data("envoy-1.40/config_dump.json")
NODE = b'{"configs":[{"bootstrap":{"node":{"id":"sidecar~10.0.0.1~web-1.shop~shop.svc"}},"last_updated":"%s"}]}'
NOON = NODE % b"2026-11-23T12:00:00Z"
LATER = NODE % b"2026-11-23T13:00:00Z"
NO_NODE = b'{"configs": []}'
MEMORY, CERTS = data("admin-1.40/memory"), data("admin-1.40/certs")


def _one(path: Path) -> tuple[str, str, str, str]:
    (item,) = imported(path)
    return item.kind, item.subject, str(item.captured_at), item.time_source


def test_a_lone_dump_is_of_the_proxy_that_its_node_id_names(tmp_path: Path) -> None:
    write(tmp_path, {"dump.json": NOON})

    importer = recognise(tmp_path / "dump.json")

    assert importer is not None
    assert importer.id == "admin-files"
    assert _one(tmp_path / "dump.json") == ("envoy.config_dump", "shop/web-1", "2026-11-23 12:00:00+00:00", "evidence")


@pytest.mark.parametrize(
    ("name", "payload", "kind", "subject"),
    [
        pytest.param("dump.json", NO_NODE, "envoy.config_dump", "unknown/dump", id="named-as-its-file"),
        pytest.param("istio-1.5.json", NO_NODE, "envoy.config_dump", "unknown/istio-1.5", id="dots-in-the-name"),
        pytest.param("certs", CERTS, "envoy.certs", "unknown/certs", id="no-ending"),
        pytest.param("app.log", b"hello\n", "log.app", "unknown/app", id="any-log"),
        pytest.param("syncz", b'[{"proxy": "a.b", "cluster_id": "K"}]', "istiod.syncz", "unknown/syncz", id="istiod"),
        pytest.param("pods.yaml", LIST, "kubernetes.objects", "File:pods.yaml", id="objects"),
    ],
)
def test_a_lone_file_without_node_id(tmp_path: Path, name: str, payload: bytes, kind: str, subject: str) -> None:
    write(tmp_path, {name: payload})

    assert _one(tmp_path / name) == (kind, subject, "None", "unknown")


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        pytest.param("shop/web-2/memory", "shop/web-2", id="namespace-and-pod"),
        pytest.param("shop/web-2/stats/prometheus", "shop/web-2", id="as-a-report-has-it"),
        pytest.param("web-2/memory", "unknown/web-2", id="pod"),
        pytest.param("before/web-2/memory", "unknown/web-2", id="a-label-is-no-namespace"),
        pytest.param("20261123T184812Z/shop/web-2/memory", "shop/web-2", id="a-time-is-no-namespace"),
        pytest.param("istio/namespaces/shop/pods/web-2/config_dump_proxy.json", "shop/web-2", id="must-gather"),
    ],
)
def test_folders_name_the_proxy(tmp_path: Path, name: str, subject: str) -> None:
    samples = {"memory": MEMORY, "prometheus": data("admin-1.40/stats_prometheus")}
    payload = samples.get(name.rpartition("/")[2], NO_NODE)
    write(tmp_path, {name: payload})

    assert {item.subject for item in imported(tmp_path)} == {subject}


def test_what_lies_beside_a_dump_is_of_its_proxy(tmp_path: Path) -> None:
    write(tmp_path, {"x/config_dump": NOON, "x/memory": MEMORY, "x/stats/prometheus": b"a_b 1\n", "y/memory": MEMORY})

    assert sorted((item.kind, item.subject) for item in imported(tmp_path)) == [
        ("envoy.config_dump", "shop/web-1"),
        ("envoy.memory", "shop/web-1"),
        ("envoy.memory", "unknown/y"),
        ("envoy.stats_prometheus", "shop/web-1"),
    ]


def test_files_that_say_what_they_are_belong_together(tmp_path: Path) -> None:
    write(tmp_path / "web-9", {"config_dump.json": NO_NODE, "memory.json": MEMORY, "certs": CERTS})

    assert {item.subject for item in imported(tmp_path / "web-9")} == {"unknown/web-9"}


def test_dumps_that_lie_under_names_are_one_for_each(tmp_path: Path) -> None:
    nested = b'{"shop": {"eg": %s, "eg2": %s}, "ops": {"eg": %s}}' % (NO_NODE, NOON, NO_NODE)
    write(tmp_path, {"all.json": nested})

    bundle = import_evidence([tmp_path], "memory://tests-importers/nested")

    assert {item.subject: bundle.read(item) for item in bundle.items} == {
        "shop/eg": NO_NODE,
        "shop/eg2": NOON,
        "ops/eg": NO_NODE,
    }


def test_logs_of_two_runs_are_apart(tmp_path: Path) -> None:
    log = b"2026-11-23T12:00:00Z\tinfo\tnow\n========= Previous log =========\n2026-11-23T11:00:00Z\tinfo\tthen\n"
    write(tmp_path, {"shop/web-1/istio-proxy.log": log})

    assert states(imported(tmp_path)) == {
        ("log.istio-proxy", "shop/web-1"): "captured",
        ("log.istio-proxy.previous", "shop/web-1"): "captured",
    }


def test_the_folder_named_after_a_time_was_captured_then(tmp_path: Path) -> None:
    write(tmp_path, {"series/20261123T184812Z/web/memory": MEMORY, "series/20261123T184820Z/web/memory": MEMORY})

    assert [(str(item.captured_at), item.time_source) for item in imported(tmp_path)] == [
        ("2026-11-23 18:48:12+00:00", "folder-name"),
        ("2026-11-23 18:48:20+00:00", "folder-name"),
    ]


def test_before_and_during_have_times_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, {"before/d.json": NOON, "before/m/memory": MEMORY, "during/d.json": LATER})

    assert sorted((item.kind, str(item.captured_at)[11:16]) for item in imported(tmp_path)) == [
        ("envoy.config_dump", "12:00"),
        ("envoy.config_dump", "13:00"),
        ("envoy.memory", "12:00"),
    ]


def test_two_dumps_of_one_proxy_have_times_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, {"a.json": NOON, "b.json": LATER})

    assert [str(item.captured_at)[11:16] for item in imported(tmp_path)] == ["12:00", "13:00"]


def test_an_archive_tells_the_time(tmp_path: Path) -> None:
    said = _one(tar(tmp_path / "x.tar", {"shop/web-1/memory": MEMORY}, prefix="", mode="w"))

    assert said == ("envoy.memory", "shop/web-1", "2026-11-23 18:48:12+00:00", "archive-member")
    assert AT == 1_795_459_692


@pytest.mark.parametrize(
    ("name", "payload", "state"),
    [
        pytest.param("a/certs", b"404 page not found", "failed: not-the-form", id="error-text"),
        pytest.param("a/certs", b"", "failed: empty", id="zero-bytes"),
        pytest.param("a/certs", b'{"certificates": [', "partial: truncated", id="cut"),
        pytest.param("a/certs", b'{"a": "caf\xe9" 1}', "failed: not-the-form", id="latin-1"),
    ],
)
def test_what_a_name_promises_and_the_content_does_not_hold(
    tmp_path: Path, name: str, payload: bytes, state: str
) -> None:
    write(tmp_path, {name: payload, "a/memory": MEMORY})

    assert states(imported(tmp_path))["envoy.certs", "unknown/a"] == state


def test_what_nobody_knows_is_listed_and_not_stored(tmp_path: Path) -> None:
    write(tmp_path, {"memory": MEMORY, "diary.txt": b"dear diary", "photo.png": b"\x89PNG\0"})

    unknown = [item for item in imported(tmp_path) if item.kind == "unknown"]

    assert [(item.status, item.cause, item.stored) for item in unknown] == [("skipped", "not-the-form", False)] * 2
    assert sorted(item.detail.split(":")[0] for item in unknown) == ["diary.txt", "photo.png"]


@pytest.mark.parametrize(
    ("name", "payload", "said"),
    [
        pytest.param("notes.txt", b"dear diary", "it is no known form (it begins 'dear diary')", id="text"),
        pytest.param("x.json", b'{"a": [', "it ends in the middle", id="cut-of-nobody-knows-what"),
        pytest.param("x.json", b"\n", "it is empty (1 bytes)", id="blank"),
    ],
)
def test_a_file_that_is_no_evidence_is_refused_in_one_sentence(
    tmp_path: Path, name: str, payload: bytes, said: str
) -> None:
    write(tmp_path, {name: payload})

    with pytest.raises(SourceError) as caught:
        imported(tmp_path / name)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_nothing_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": b"x", "b/c.txt": b"y"})

    assert recognise(tmp_path) is None
    with pytest.raises(SourceError, match=r"holds nothing that is known as evidence of a mesh \(2 files\)"):
        imported(tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.binary(min_size=1, max_size=200) | st.integers(0, len(DUMP)).map(lambda at: DUMP[:at] or b" "))
def test_any_bytes_are_imported_or_refused(tmp_path: Path, payload: bytes) -> None:
    (tmp_path / "x.json").write_bytes(payload)

    try:
        items = imported(tmp_path / "x.json")
    except SourceError:
        return

    assert len(items) == 1


def test_the_public_dumps(corpus: Path) -> None:
    items = imported(corpus / "envoy_config_dump")

    assert {(item.kind, item.status) for item in items} == {("envoy.config_dump", "captured")}
    assert len(items) == 72
    assert {"default/eg", "istio-system/istio-ingressgateway-5bf6c9887-vvvmj"} <= {item.subject for item in items}


@pytest.mark.parametrize(
    ("folder", "kinds"),
    [
        ("ztunnel", {"ztunnel.config_dump", "unknown"}),
        ("access_logs", {"log.istio-proxy", "log.ztunnel", "unknown"}),
        ("prometheus", {"envoy.stats_prometheus", "istiod.metrics", "linkerd.metrics", "unknown"}),
    ],
)
def test_other_public_folders(corpus: Path, folder: str, kinds: set[str]) -> None:
    assert kinds <= {item.kind for item in imported(corpus / folder)}
