"""When growth began, what changed before, and what remedies would do."""

import pandas as pd

from meshforensics.incidents.causes.changes import began, changes_before, pool_limits, remedies
from meshforensics.testing import frame
from tests.incidents.cases import case
from tests.incidents.causes.memory import CLUSTER, MIB, flat, memory, piled_up, rising, rows, series, times


def _later(number: int) -> int:
    return flat(number) if number < 5 else flat(5) + (number - 4) * 10 * MIB


def test_growth_began_between_two_samples() -> None:
    found = began(series(memory(web_1=_later)))

    assert (found["after"].iloc[0], found["before"].iloc[0]) == (times()[4], times()[5])
    assert found["since_first"].to_list() == [False]


def test_growth_that_was_there_at_the_first_sample_began_earlier() -> None:
    assert began(series(memory(web_1=rising)))["since_first"].to_list() == [True]


def test_changes_before_are_those_near_enough_the_latest_first() -> None:
    at = times()[5]
    config = frame(
        "config",
        object=["Sidecar:shop/old", "Sidecar:shop/a", "Sidecar:shop/b", "Sidecar:shop/after"],
        changed_at=[at - pd.Timedelta("11min"), at - pd.Timedelta("9min"), at, at + pd.Timedelta("1s")],
    )

    found = changes_before(series(memory(web_1=_later), config=config), at)

    assert found["subject"].to_list() == ["Sidecar:shop/b", "Sidecar:shop/a"]


def _limited() -> dict[str, pd.DataFrame]:
    own = {"namespace": ["shop"], "pod": ["web-1"]}
    return {
        "containers": frame("containers", **own, container=["istio-proxy"], memory_limit_bytes=[100 * MIB]),
        "clusters": frame(
            "clusters",
            resource=["aa"],
            name=[CLUSTER],
            max_connections=[50],
            idle_timeout_s=[90.0],
            object=["DestinationRule:shop/pay"],
        ),
        "cluster_instances": frame("cluster_instances", **own, resource=["aa"], name=[CLUSTER]),
    }


def test_a_bound_on_the_pool_is_what_fits_below_four_fifths_of_the_limit() -> None:
    found = pool_limits(series(memory(web_1=rising), piled_up(), **_limited()))

    row = found.iloc[0]
    assert (row["max_connections"], row["idle_timeout_s"], row["object"]) == (50, 90.0, "DestinationRule:shop/pay")
    assert row["bound"] == int((80 - 18) / 0.5)


def test_remedies_say_what_the_evidence_tells_and_what_not() -> None:
    limited = rows(remedies(series(memory(web_1=rising), piled_up(), **_limited())), "remedy")
    bare = rows(remedies(series(memory(web_1=rising), piled_up())), "remedy")

    assert {name: row["known"] for name, row in limited.items()} == {
        "Roll the proxy version back": False,
        f"Limit the pool {CLUSTER} of shop/web-1 (DestinationRule:shop/pay)": True,
        "Restart the growing proxies": True,
    }
    assert not bare[f"Limit the pool {CLUSTER} of shop/web-1"]["known"]


def test_a_version_that_alone_grows_is_worth_rolling_back() -> None:
    of = {f"p_{number}": rising if number < 5 else flat for number in range(10)}
    pods = [f"p-{number}" for number in range(10)]
    proxies = frame("proxies", namespace=["shop"] * 10, pod=pods, build=["1.30.0"] * 5 + ["1.29.0"] * 5)

    found = remedies(series(memory(**of), proxies=proxies))

    assert "would take 5 of 5 growing proxies off Envoy build 1.30.0" in str(found["effect"].iloc[0])


def test_without_growth_there_is_nothing_to_remedy() -> None:
    assert remedies(case()).empty
    assert began(case()).empty
    assert pool_limits(case()).empty
