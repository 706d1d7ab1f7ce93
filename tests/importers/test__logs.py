from pathlib import Path

from meshforensics.importers._logs import read_part, split_previous
from meshforensics.importers._source import open_source

NOTICE = b"========= Previous log present (appended at the end) =========\n"
MARK = b"========= Previous log =========\n"


def test_the_previous_log_is_apart_and_the_notice_stays_in_its_line() -> None:
    said = list(split_previous("log.istio-proxy", NOTICE + b"now 1\nnow 2\n" + MARK + b"then\n"))

    assert said == [("log.istio-proxy", NOTICE + b"now 1\nnow 2\n"), ("log.istio-proxy.previous", b"then\n")]


def test_a_log_without_mark_is_one() -> None:
    assert list(split_previous("log.a", b"x\n")) == [("log.a", b"x\n")]
    assert list(split_previous("log.a", b"")) == [("log.a", b"")]


def test_an_empty_previous_log_is_none_and_other_kinds_are_not_split() -> None:
    assert list(split_previous("log.a", b"x\n" + MARK)) == [("log.a", b"x\n")]
    assert list(split_previous("envoy.stats", b"x\n" + MARK + b"y")) == [("envoy.stats", b"x\n" + MARK + b"y")]


def test_a_part_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "discovery.log").write_bytes(b"now\n" + MARK + b"then\n")
    source = open_source(str(tmp_path))

    assert read_part(source, source.members[0], "log.discovery", "log.discovery.previous") == b"then\n"


def test_real_logs_of_restarted_proxies(corpus: Path) -> None:
    log = next((corpus / "bugreport" / "istio_2023-09").rglob("proxies/hello/*/istio-proxy.log")).read_bytes()

    said = dict(split_previous("log.istio-proxy", log))

    assert {kind: content.count(b"\n") for kind, content in said.items()} == {
        "log.istio-proxy": 3772,
        "log.istio-proxy.previous": log.count(b"\n") - 3773,
    }
