"""Fixtures that every test may use: where the real captures lie."""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from meshforensics.investigation import Investigation, open_evidence

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")  # a busy machine is no fault of the code

Report = pytest.TestReport
Opened = Callable[[Path | tuple[Path, ...]], Investigation]

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"needs ../shared/{name}, which is not beside this clone")
    return folder


@pytest.fixture(scope="session")
def examples() -> Path:
    """Real captures of real incidents, with their ground truth."""
    return _folder("captures-examples")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Public captures of many ages, with provenance; never committed here."""
    return _folder("corpus")


@pytest.fixture(scope="session")
def captures() -> Path:
    """The bundles that the project ships."""
    return ROOT / "captures"


@pytest.fixture(scope="session")
def opened() -> Opened:
    """Evidence opened once for all tests that only look at it: its tables and findings take seconds."""
    return cache(open_evidence)


@pytest.fixture(scope="module")
def untraced() -> Iterator[None]:
    """Runs of the whole program take twice as long while coverage looks on; it counts the tests of each room."""
    tracer, of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
            patch.delenv(name, raising=False)
        yield
    sys.settrace(tracer)
    threading.settrace(of_threads)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what reads ../shared by the fixtures that it asks for; CI does not select what it lacks."""
    for item in items:
        if {"examples", "corpus"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("shared")
    for item in items:
        if item.get_closest_marker("prometheus") and shutil.which("promtool") is None:
            item.add_marker(pytest.mark.skip(reason="needs promtool and prometheus, of Debian's package prometheus"))
    if os.environ.get("CI") == "true":
        lacking = [name for name, there in _there().items() if not there]
        left_out = [item for item in items if any(item.get_closest_marker(name) for name in lacking)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _there() -> dict[str, bool]:
    """By marker: whether this machine has what such tests need and CI cannot install."""
    return {"shared": SHARED.is_dir(), "kubectl": shutil.which("kubectl") is not None}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Report, Report]:
    """In CI a skipped test is a failed one: there everything that tests need is there."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report
