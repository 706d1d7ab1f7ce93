"""Config dumps of a mesh of like sidecars into tables, beside what else one could read them with.

    python benchmarks/decode.py --proxies 40 --megabytes 7.7 --runs 5

Every contender is asked the same of the same bytes: which proxy holds which cluster, listener, route
configuration and endpoint, under which version and since when. Runs are interleaved, the median counts,
and only ratios of one run mean something: machines differ, and change while one measures. Time is that of
all threads and children on a processor, so that other work on the machine does not count.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from mesh import SEED, sidecars

from meshforensics.formats.config_dump import ResourceStore
from meshforensics.testing import tables_of

_INSTANCES = ("cluster_instances", "listener_instances", "route_instances", "secret_instances", "endpoints")
_DISTINCT = ("clusters", "listeners", "filter_chains", "routes", "virtual_hosts", "secrets")
_LISTS = {
    "cluster": ("static_clusters", "dynamic_active_clusters", "dynamic_warming_clusters"),
    "route_config": ("static_route_configs", "dynamic_route_configs"),
    "endpoint_config": ("dynamic_endpoint_configs",),
    "listener": ("static_listeners",),
    "active_state": ("dynamic_listeners",),
}
_JQ = """
.configs[] | . as $s | keys_unsorted[] | select(type == "string") as $k | $s[$k] | select(type == "array")[]
| [$k, (.cluster.name // .route_config.name // .endpoint_config.cluster_name // .name),
   (.version_info // .active_state.version_info), (.last_updated // .active_state.last_updated),
   ([.endpoint_config.endpoints[]?.lb_endpoints[]? | .endpoint.address.socket_address.address] | join(","))] | @tsv
"""


def ours_frames(dumps: Sequence[bytes]) -> int:
    """All eleven tables of ours, as pandas frames."""
    items = [("envoy.config_dump", f"travel/web-{number}", dump) for number, dump in enumerate(dumps)]
    tables = tables_of(*items)
    return sum(len(tables.frame(name)) for name in (*_INSTANCES, *_DISTINCT))


def ours_records(dumps: Sequence[bytes]) -> int:
    """Our decoder alone: one record per resource and proxy, each distinct resource read."""
    store = ResourceStore()
    return sum(sum(1 for _ in store.decode(dump).entries()) for dump in dumps)


def json_loads(dumps: Sequence[bytes]) -> int:
    """`json.loads` alone: no question answered yet."""
    return sum(len(json.loads(dump)["configs"]) for dump in dumps)


def json_normalize(dumps: Sequence[bytes]) -> int:
    """`json.loads`, then `pandas.json_normalize` of every list."""
    rows = 0
    for dump in dumps:
        for section in json.loads(dump)["configs"]:
            for names in _LISTS.values():
                rows += sum(len(pd.json_normalize(section[name])) for name in names if name in section)
    return rows


def jq(dumps: Sequence[bytes]) -> int:
    """`jq` over files, one line per resource and proxy."""
    with tempfile.TemporaryDirectory() as folder:
        rows = 0
        for number, dump in enumerate(dumps):
            path = Path(folder) / f"{number}.json"
            path.write_bytes(dump)
            made = subprocess.run(["jq", "-r", _JQ, str(path)], check=True, capture_output=True)
            rows += made.stdout.count(b"\n")
    return rows


Contender = tuple[str, Callable[[Sequence[bytes]], int], int]


def contenders(proxies: int) -> list[Contender]:
    """Name, function, and how many of the dumps it gets: the slow ones get few, rates are compared."""
    found: list[Contender] = [
        ("meshforensics, tables", ours_frames, proxies),
        ("meshforensics, records", ours_records, proxies),
        ("json.loads alone", json_loads, min(proxies, 4)),
        ("pandas.json_normalize", json_normalize, min(proxies, 2)),
    ]
    if shutil.which("jq"):
        found.append(("jq", jq, min(proxies, 2)))
    return found


def measure(dumps: Sequence[bytes], runs: int) -> dict[str, list[float]]:
    """Bytes per second of processor time of each contender and run, interleaved."""
    rates: dict[str, list[float]] = {}
    for _ in range(runs):
        for name, function, share in contenders(len(dumps)):
            given = dumps[:share]
            begin = _cpu_seconds()
            function(given)
            rates.setdefault(name, []).append(sum(map(len, given)) / (_cpu_seconds() - begin))
    return rates


def _cpu_seconds() -> float:
    """User and kernel time of all threads, and of children that ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def table(rates: dict[str, list[float]]) -> str:
    """The medians as a Markdown table."""
    median = {name: statistics.median(values) for name, values in rates.items()}
    ours = median["meshforensics, tables"]
    lines = ["| read with | GB/s a core | our tables are faster by |", "|---|---|---|"]
    lines += [f"| {name} | {rate / 1e9:.3f} | {ours / rate:.1f}× |" for name, rate in median.items()]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxies", type=int, default=40)
    parser.add_argument("--megabytes", type=float, default=7.7)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=Path, default=SEED, help="a real config dump to grow the mesh from")
    given: Any = parser.parse_args()
    dumps = list(sidecars(given.seed.read_bytes(), proxies=given.proxies, megabytes=given.megabytes))
    size = sum(map(len, dumps))
    print(f"{len(dumps)} like sidecars, {size / 1e6 / len(dumps):.1f} MB each, {given.runs} interleaved runs\n")
    print(table(measure(dumps, given.runs)))
    if not shutil.which("jq"):
        print("\njq is not installed, so it was not measured.")


if __name__ == "__main__":
    main()
