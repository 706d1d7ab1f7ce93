"""Failures that only counters tell of: since start, so that no one can say they are over."""

from collections.abc import Iterator

import pandas as pd

from meshforensics.incidents._declare import Case, Proxy
from meshforensics.tables import keys, text

_REQUESTS = r"http[._](?:(?:in|out)bound_.*[._])?downstream_rq(?:_\dxx)?\Z|requests_total\Z"
_FAILED = r'_5xx\Z|"response_code(?:_class)?": ?"5'
_CLASS = r'_\dxx\Z|"response_code(?:_class)?"'
_REFUSED = r"fail_verify_(?:error|san|cert_hash|no_cert)\Z|no_filter_chain_match\Z"


def undated_failures(case: Case) -> Iterator[tuple[Proxy, str]]:
    """The proxies without a log whose counters show failures, and how many, in words."""
    stats = case.source.frame("stats")
    logged = set(keys(case.source.frame("log_coverage"), "namespace", "pod"))
    level = case.profile.threshold("traffic.response-5xx-share").levels["warning"]
    fewest = case.profile.number("incident-calls")
    silent = stats[[proxy not in logged for proxy in keys(stats, "namespace", "pod")]] if len(stats) else stats
    for proxy, rows in silent.groupby(["namespace", "pod"], observed=True):
        failed, total, refused = _counted(rows)
        if failed >= fewest and failed > level * total:
            yield tuple(map(str, proxy)), f"{failed:.0f} of {total:.0f} requests failed"
        elif refused >= fewest:
            yield tuple(map(str, proxy)), f"{refused:.0f} connections were refused"


def _counted(rows: pd.DataFrame) -> tuple[float, float, float]:
    """Failed requests, all requests, and connections refused for TLS, as one proxy counts them."""
    name, value = text(rows["name"]), rows["value"].fillna(0).astype(float)
    said = name + text(rows["labels"])
    requests = name.str.contains(_REQUESTS) & said.str.contains(_CLASS)
    failed = requests & said.str.contains(_FAILED)
    return (
        float(value[failed].sum()),
        float(value[requests].sum()),
        float(value[name.str.contains(_REFUSED)].sum()),
    )
