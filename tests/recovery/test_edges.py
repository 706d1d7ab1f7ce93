"""Who calls whom: by captured calls, else by what callers are sent."""

from dataclasses import dataclass

import pandas as pd

from meshforensics.recovery import edges
from meshforensics.testing import frame

WEB, CART, DB = ("shop", "web-1"), ("shop", "cart-1"), ("data", "db-1")
PAIRS = frame(
    "tls_pairs",
    namespace=["shop"] * 2,
    pod=["web-1", "cart-1"],
    server_namespace=["data"] * 2,
    server_pod=["db-1"] * 2,
)


@dataclass(frozen=True)
class Frames:
    """Tables made by hand."""

    calls: pd.DataFrame

    def frame(self, name: str) -> pd.DataFrame:
        """A table."""
        pods = frame("pods", namespace=["shop", "data"], pod=["cart-1", "db-1"], ip=["10.0.0.2", "fd00::3"])
        return {"calls": self.calls, "pods": pods, "tls_pairs": PAIRS}[name]


def test_captured_calls_tell_and_one_to_nobody_that_is_known_does_not() -> None:
    hosts = ["10.0.0.2:80", "10.0.0.2:80", "[fd00::3]:5432", "10.0.0.9:80", None]
    calls = frame(
        "calls", namespace=["shop"] * 5, pod=["web-1", "web-1", "cart-1", "cart-1", "cart-1"], upstream_host=hosts
    )

    assert edges(Frames(calls)) == [(CART, DB), (WEB, CART)]


def test_without_calls_it_is_who_may_call() -> None:
    assert edges(Frames(frame("calls"))) == [(CART, DB), (WEB, DB)]
