"""What else in a bundle confirms or refutes what a family of error texts says."""

import re
from collections.abc import Mapping

import pandas as pd

from meshforensics.checks import _beside_access, _beside_calls, _beside_control, _beside_pods, _beside_tls
from meshforensics.checks._beside_counters import by_flags, of_istiod, of_proxies
from meshforensics.checks._lines import Lines, Tells
from meshforensics.model import Window
from meshforensics.tables import texts

TELLS: Mapping[str, Tells] = {
    family: tells
    for topic in (_beside_access, _beside_calls, _beside_control, _beside_pods, _beside_tls)
    for family, tells in topic.TELLS.items()
}
"""By family; docs/signatures.md is made of it."""

NOTHING = "nothing else that was captured tells"
_STATE = re.compile(r"\Arefuted(?: as of the capture)?: ")


def families(topic: str) -> tuple[str, ...]:
    """The families that one check reports."""
    return tuple(sorted(family for family, tells in TELLS.items() if tells.topic == topic))


def beside(family: str, rows: pd.DataFrame, frames: Mapping[str, pd.DataFrame], window: Window) -> str:
    """One sentence; where nothing was captured that could tell, it says so."""
    tells = TELLS.get(family)
    if tells is None:
        return NOTHING
    lines = Lines(rows, frames, window)
    own = Lines(rows[rows["signature"].isin(tells.only)], frames, window) if tells.only else lines
    said = (
        tells.judge(lines) if tells.judge else "",
        of_proxies(own, tells.of_peer if set(texts(rows["who"])) == {"peer"} else tells.counters),
        of_istiod(own, tells.of_istiod),
        by_flags(lines, tells.flags),
    )
    return joined([each for each in said if each]) or NOTHING


def joined(said: list[str]) -> str:
    """Several sentences as one: what a counter confirms has been, whatever the state is that was captured."""
    if any(each.startswith("confirmed: ") for each in said):
        said = [_STATE.sub("over as of the capture: ", each) for each in said]
        said.sort(key=lambda each: not each.startswith("confirmed: "))
    return "; ".join([said[0], *(each.removeprefix("confirmed: ") for each in said[1:])]) if said else ""
