"""What an access log says beside a counter: a counter is whole and has no instants, a log has them and may be off."""

import pandas as pd

from meshforensics.model.words import count_of
from meshforensics.tables import keys, text, where

_NO_CHAIN = "filter_chain_not_found"


Places = tuple[tuple[str, ...], ...]


def beside_log(rises: pd.DataFrame, access_log: pd.DataFrame) -> list[str]:
    """For each counter of a cluster: how calls to it ended that were logged in its span, as an end of a sentence."""
    by_proxy = _by_proxy(rises, access_log)
    said = []
    spans = zip(keys(rises, "namespace", "pod", "cluster"), rises["since"], rises["at"], strict=True)
    for (namespace, pod, cluster), since, until in spans:
        seen = _between(by_proxy.get((namespace, pod)), since, until)
        if seen is None:
            said.append("; no call was logged there meanwhile")
            continue
        own = seen[seen["cluster"] == cluster]
        failed = int(_failed(own).sum())
        said.append(
            f"; of {count_of(len(own), 'call to it that was', 'calls to it that were')} logged meanwhile "
            f"{failed} failed"
            if len(own)
            else f"; none of the {count_of(len(seen), 'call')} logged there meanwhile was to it"
        )
    return said


def _by_proxy(rises: pd.DataFrame, access_log: pd.DataFrame) -> dict[tuple[str, ...], pd.DataFrame]:
    """The lines of each proxy of which a counter is told."""
    told = set(keys(rises, "namespace", "pod"))
    if not told or access_log.empty:
        return {}
    log = where(access_log, (proxy in told for proxy in keys(access_log, "namespace", "pod")))
    holder = text(log["namespace"]) + "/" + text(log["pod"])
    return {tuple(str(name).split("/", 1)): own for name, own in log.groupby(holder)}


def _between(log: pd.DataFrame | None, since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame | None:
    """The lines of a span, oldest first; None for none."""
    seen = log[(log["at"] >= since) & (log["at"] <= until)] if log is not None else None
    return None if seen is None or seen.empty else seen.sort_values("at", kind="stable")


def _failed(log: pd.DataFrame) -> "pd.Series[bool]":
    """Answered 5xx, or not at all because of the mesh; a client that went away is none."""
    status = log["status"].fillna(0)
    flagged = [isinstance(each, tuple) and bool(each) and "DC" not in each for each in log["flags"]]
    return (status >= 500) | ((status == 0) & pd.Series(flagged, index=log.index, dtype=bool))


def without_chain(rises: pd.DataFrame, access_log: pd.DataFrame) -> pd.DataFrame:
    """Counters of connections that fitted no filter chain, with what is `logged` of them; those lines are evidence."""
    refused = access_log[access_log["details"] == _NO_CHAIN] if len(access_log) else access_log
    by_proxy = _by_proxy(rises, refused)
    spans = zip(keys(rises, "namespace", "pod", "item", "pointer"), rises["since"], rises["at"], strict=True)
    told = [
        _told((item, pointer), _between(by_proxy.get((namespace, pod)), since, until), until)
        for (namespace, pod, item, pointer), since, until in spans
    ]
    return rises.assign(
        logged=pd.Series([said for said, _, _ in told], index=rises.index, dtype="str"),
        at=pd.Series([at for _, at, _ in told], index=rises.index, dtype=rises["at"].dtype),
        evidence=pd.Series([places for _, _, places in told], index=rises.index, dtype="object"),
    )


def _told(counter: tuple[str, str], seen: pd.DataFrame | None, until: pd.Timestamp) -> tuple[str, pd.Timestamp, Places]:
    """What is logged of a counter, in words, when first, and the places."""
    if seen is None:
        return "; none is logged", until, (counter,)
    client = text(seen["downstream_remote"]).iloc[0].rpartition(":")[0] or "an unknown address"
    said = f"; {len(seen)} such are logged there, the first from {client}"
    return said, seen["at"].iloc[0], (counter, *keys(seen, "item", "pointer"))
