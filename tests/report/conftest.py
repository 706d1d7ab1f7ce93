"""Reports written once for all tests of this room, and a browser to open them in."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from meshforensics.bundle import Bundle, BundleWriter, open_bundle
from meshforensics.investigation import open_evidence
from meshforensics.report import Written, write_report
from tests.copying import copy_item

ATTACK = "<script>window.attacked = true</script><img src=x onerror='window.attacked = true'>"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def report(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The report about the shipped root rotation."""
    path = str(captures / "ca-rotation")
    return write_report(open_evidence(path), path, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def hostile(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The same evidence with markup in log lines, object names and messages."""
    folder = tmp_path_factory.mktemp("hostile")
    bundle = _attacked(open_bundle(str(captures / "ca-rotation")), str(folder / "bundle"))
    return write_report(open_evidence(bundle.url), bundle.url, folder / "report")


def _attacked(source: Bundle, into: str) -> Bundle:
    with BundleWriter(into, mesh=ATTACK, layout=source.layout) as writer:
        for item in source.items:
            copy_item(writer, source, item, _attack if item.kind.startswith("log.") else bytes)
        return writer.seal()


def _attack(log: bytes) -> bytes:
    log = log.replace(b"GET /", b"GET /" + ATTACK.replace(" ", "+").encode())
    return log.replace(b"unable_to_get_local_issuer_certificate", b"self_signed_certificate_<b>x")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real headless Chromium; its event loop runs until the module is done, so that none runs in other tests."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium (Debian package chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield opened
        opened.close()
