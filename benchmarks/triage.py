"""Cold triage of a mesh of like sidecars: time on processors, time on the clock, and peak memory.

    python benchmarks/triage.py --proxies 1000 --megabytes 7.7

The mesh is written once as a bundle (kept with --keep, so that it can be measured again), then `meshforensics
triage` reads it in a process of its own that has seen nothing of it. Dumps are made one at a time, so any number
of proxies fits. The bytes that count are those of the dumps as Envoy printed them, not the compressed ones.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mesh import SEED, sidecars

from meshforensics.bundle import BundleWriter, is_bundle, open_bundle

CAPTURED = datetime(2026, 11, 23, 19, tzinfo=UTC)
KIND = "envoy.config_dump"


class Run(NamedTuple):
    """One triage, as the operating system accounts for it."""

    cpu_s: float
    wall_s: float
    peak_mib: float


def write_mesh(into: Path, *, proxies: int, megabytes: float, seed: bytes) -> None:
    """A bundle with the config dump of each sidecar."""
    with BundleWriter(str(into), mesh="benchmark", layout="benchmark") as writer:
        subjects = [f"travel/web-{number}" for number in range(proxies)]
        writer.plan((KIND, subject, CAPTURED) for subject in subjects)
        for subject, dump in zip(subjects, sidecars(seed, proxies=proxies, megabytes=megabytes), strict=True):
            writer.add(KIND, subject, dump, captured_at=CAPTURED, time_source="clock")
        writer.seal()


def triage(bundle: Path) -> Run:
    """Triage in a process of its own."""
    command = [sys.executable, "-m", "meshforensics", "triage", str(bundle), "--format", "json"]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        raise SystemExit(f"triage ended with {process.returncode}")
    return Run(used.ru_utime + used.ru_stime, time.perf_counter() - begin, _mebibytes(used))


def _mebibytes(used: resource.struct_rusage) -> float:
    """The peak, which Linux counts in KiB and macOS in bytes."""
    return used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    """Write the mesh where it is not there yet, measure, print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxies", type=int, default=100)
    parser.add_argument("--megabytes", type=float, default=7.7)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=Path, default=SEED, help="a real config dump to grow the mesh from")
    parser.add_argument("--keep", type=Path, help="folder for the bundle; one that is there is measured as it is")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bundle: Path = given.keep or Path(folder) / "mesh"
        if not is_bundle(str(bundle)):
            write_mesh(bundle, proxies=given.proxies, megabytes=given.megabytes, seed=given.seed.read_bytes())
        items = open_bundle(str(bundle)).items
        size = sum(item.bytes or 0 for item in items)
        runs = [triage(bundle) for _ in range(given.runs)]
    cpu, wall, peak = (statistics.median(each) for each in zip(*runs, strict=True))
    print(
        f"{len(items)} like sidecars, {size / 1e6 / len(items):.1f} MB each, {os.cpu_count()} cores, {len(runs)} runs"
    )
    print(f"cold triage: {wall:.1f} s, {cpu:.1f} s on processors, {size / cpu / 1e9:.2f} GB/s a core, {peak:.0f} MiB")


if __name__ == "__main__":
    main()
