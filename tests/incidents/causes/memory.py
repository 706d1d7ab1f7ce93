"""A series of memory made by hand: proxies that grow with what they hold open, and others that do not."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pandas as pd

from meshforensics.incidents import Case
from meshforensics.tables.growth import growth
from meshforensics.testing import frame
from tests.incidents.cases import NOON, case

MIB = 2**20
STEP = timedelta(minutes=20)
SAMPLES = 12
CLUSTER = "outbound|80||pay.shop.svc.cluster.local"


def rows(of: pd.DataFrame, by: str) -> dict[str, dict[str, Any]]:
    """The rows of a frame by one of its columns."""
    return {str(row[by]): {str(name): value for name, value in row.items()} for row in of.to_dict("records")}


def times() -> list[pd.Timestamp]:
    """When samples were taken: the last at noon."""
    return [pd.Timestamp(NOON - STEP * (SAMPLES - 1 - number)) for number in range(SAMPLES)]


def rising(number: int) -> int:
    """10 MiB, and 5 MiB more each sample."""
    return (10 + 5 * number) * MIB


def flat(number: int) -> int:
    """20 MiB, give or take what is noise."""
    return 20 * MIB + (number % 2) * 1000


def memory(**proxies: Callable[[int], int]) -> pd.DataFrame:
    """The samples of each proxy, in bytes by number of sample."""
    pods = [name.replace("_", "-") for name in proxies for _ in range(SAMPLES)]
    live = [of(number) for of in proxies.values() for number in range(SAMPLES)]
    return frame(
        "memory",
        namespace=["shop"] * len(pods),
        pod=pods,
        captured_at=times() * len(proxies),
        allocated=live,
        heap_size=[each + 4 * MIB for each in live],
        pageheap_free=[MIB] * len(live),
        total_physical_bytes=[each + 8 * MIB for each in live],
        item=[f"envoy.memory:shop/{pod}@{number % SAMPLES}" for number, pod in enumerate(pods)],
        pointer=[""] * len(pods),
    )


def stats(pod: str, gauges: dict[str, Sequence[float]]) -> pd.DataFrame:
    """Stats of one proxy over time: ``name`` or ``name@cluster`` to its values."""
    names = [name for name in gauges for _ in range(SAMPLES)]
    values = [value for of in gauges.values() for value in of]
    clusters = [name.partition("@")[2] or None for name in names]
    return frame(
        "stats",
        namespace=["shop"] * len(names),
        pod=[pod] * len(names),
        captured_at=times() * len(gauges),
        name=[name.partition("@")[0] for name in names],
        labels=[f'{{"cluster_name":"{each}"}}' if each else "{}" for each in clusters],
        cluster=clusters,
        value=values,
        item=[f"envoy.stats_prometheus:shop/{pod}@{number % SAMPLES}" for number in range(len(names))],
    )


def series(of: pd.DataFrame, told: pd.DataFrame | None = None, **frames: pd.DataFrame) -> Case:
    """A case of a series of memory, with stats beside it, and its trends computed as the table does."""
    kept = frame("stats") if told is None else told
    assert growth.derives is not None
    return case(memory=of, stats=kept, growth=growth.derives(of, kept), **frames)


def piled_up(pod: str = "web-1") -> pd.DataFrame:
    """Stats of a proxy whose connections to a cluster pile up at a flat request rate."""
    opened = [float(10 * number) for number in range(SAMPLES)]
    return stats(
        pod,
        {
            "envoy_http_downstream_cx_active": opened,
            "envoy_http_downstream_rq_active": opened,
            "envoy_http_downstream_rq_total": [float(12 * number) for number in range(SAMPLES)],
            f"envoy_cluster_upstream_cx_active@{CLUSTER}": opened,
            f"envoy_cluster_upstream_cx_total@{CLUSTER}": [each + 3 for each in opened],
            "envoy_cluster_manager_active_clusters": [9.0] * SAMPLES,
            "envoy_listener_manager_lds_update_success": [2.0] * SAMPLES,
        },
    )
