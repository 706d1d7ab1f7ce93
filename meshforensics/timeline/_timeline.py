"""Build the timeline from the tables of one bundle."""

import pandas as pd

from meshforensics.timeline._control import control_events
from meshforensics.timeline._events import Event, Source
from meshforensics.timeline._kubernetes import kubernetes_events
from meshforensics.timeline._traffic import traffic_events

_TYPES = {"at": "datetime64[us, UTC]", **dict.fromkeys(Event._fields[1:], "str")}


def timeline(source: Source) -> pd.DataFrame:
    """Every event of a bundle, oldest first: at, plane, kind, subject, text, item, pointer.

    An event is a first failure of an edge of the call graph (and its last success), a rejection, a
    secret that reached proxies, a line of istiod about its root, a Kubernetes event, a restart, a change of
    configuration. Likes that follow each other closely are one event.
    """
    found = {*control_events(source), *traffic_events(source), *kubernetes_events(source)}
    made = pd.DataFrame(sorted(found), columns=list(Event._fields))
    return made.astype(_TYPES).reset_index(drop=True)
