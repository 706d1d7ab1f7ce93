"""Records of stats, and what Envoy's names and labels say of the cluster, listener and response code."""

import math
import re
from functools import lru_cache
from typing import NamedTuple

import msgspec

LARGEST = 2**64 - 1
"""Envoy's gauges and counters are unsigned 64-bit integers; a float holds them only up to 2^53."""

_DELIMITED = re.compile(r"cluster\.(?P<cluster>.+?);\.")
_CLUSTER = re.compile(
    r"""cluster\.(?P<cluster>.+?)\.(?:
        (?:circuit_breakers\.(?:default|high)\.
          |(?:outlier_detection|health_check|ext_authz|http[123]|client_ssl_socket_factory)\.
          |(?:internal|external|canary)\.(?=upstream_rq_(?:completed|time|\dxx|\d{3})\Z)
          |zone\.[^.]+\.[^.]+\.(?=upstream_rq)
          |ratelimit\.(?=(?:ok|error|over_limit|failure_mode_allowed)\Z)
          |default\.(?=total_match_count\Z)
          |ssl\.(?:(?:ciphers|curves|sigalgs|versions)\.(?:TLSv\d\.)?|certificate\..+\.)?
        )?[A-Za-z0-9_-]+)\Z""",
    re.VERBOSE,
)
"""Without Istio's delimiter: the shortest name that leaves a stat as Envoy writes it. A host may end in
``.internal``, so such prefixes count only before the few stats that have them."""

_LISTENER = re.compile(r"listener\.(?P<listener>(?:\[[^\]]*\]|[\d.]+)_\d+|admin)\.")
_MANAGER = re.compile(r"http\.(?P<listener>(?:in|out)bound_[^;]+?_\d+);?\.")
_CODE = re.compile(r"_(?P<code>[1-5]\d\d|[1-5]xx)\Z")

_CLUSTER_LABELS = ("cluster_name", "envoy_cluster_name")
_LISTENER_LABELS = (
    "listener_address",
    "envoy_listener_address",
    "http_conn_manager_listener_prefix",
    "http_conn_manager_prefix",
    "envoy_http_conn_manager_prefix",
)
_CODE_LABELS = ("response_code", "envoy_response_code", "response_code_class", "envoy_response_code_class")


class Stat(NamedTuple):
    """One counter, gauge or text.

    `name` is as printed; `labels` are JSON with sorted keys; `cluster` has no Istio delimiter. `value` is
    exact where the number is an integer of at most 64 bits without sign; `real` is always the number.
    """

    pointer: str
    name: str
    type: str | None
    labels: str
    cluster: str | None
    listener: str | None
    response_code: str | None
    value: int | None
    real: float | None
    text: str | None


class Bucket(NamedTuple):
    """One point of a histogram or summary.

    Either a bucket (`le`, with `counted` observations of at most that) or a quantile (`quantile`, with the
    value `real` there). `sum` stands with the bucket without bound, whose `counted` is that of all.
    """

    pointer: str
    name: str
    type: str
    labels: str
    cluster: str | None
    listener: str | None
    le: float | None
    quantile: float | None
    counted: int | None
    sum: float | None
    real: float | None


class Stats(NamedTuple):
    """What a proxy counts; `unread` are the numbers of lines that are no stat, from 1."""

    stats: tuple[Stat, ...]
    histograms: tuple[Bucket, ...]
    unread: tuple[int, ...] = ()


class Owner(NamedTuple):
    """What a stat is about."""

    labels: str
    cluster: str | None
    listener: str | None
    response_code: str | None


@lru_cache(maxsize=65536)
def owner_of_name(name: str) -> Owner:
    """What a dotted name of Envoy says: the cluster, listener and code in it.

    >>> owner_of_name("cluster.outbound|80||web.shop.svc.cluster.local;.upstream_rq_503")[1:]
    ('outbound|80||web.shop.svc.cluster.local', None, '503')
    """
    of_cluster = (_DELIMITED.match(name) or _CLUSTER.match(name)) if name.startswith("cluster.") else None
    listener = _LISTENER.match(name) or _MANAGER.match(name)
    code = _CODE.search(name)
    return Owner(
        "{}",
        of_cluster["cluster"] if of_cluster else None,
        listener["listener"] if listener else None,
        code["code"] if code else None,
    )


def owner_of_labels(labels: dict[str, str], name: str) -> Owner:
    """What labels say, those of Istio's bootstrap or of Envoy's own tags; a code may stand in the name."""
    code = _first(labels, _CODE_LABELS)
    if code is None:
        found = _CODE.search(name)
        code = found["code"] if found else None
    return Owner(
        msgspec.json.encode(labels, order="sorted").decode(),
        _first(labels, _CLUSTER_LABELS),
        _first(labels, _LISTENER_LABELS),
        f"{code}xx" if code and len(code) == 1 else code,
    )


def _first(labels: dict[str, str], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = labels.get(name)
        if value:
            return value.removesuffix(";")
    return None


def exact(text: str) -> int | None:
    """The integer that a number's text is, if 64 bits hold it; floats only where they are exact.

    >>> exact("18446744073709551615"), exact("1e+06"), exact("0.5"), exact("-1")
    (18446744073709551615, 1000000, None, None)
    """
    if text.isascii() and text.isdecimal():
        return number if len(text) <= 40 and (number := int(text)) <= LARGEST else None
    real = real_of(text)
    return int(real) if real is not None and real.is_integer() and 0 <= real <= 2**53 else None


def real_of(text: str) -> float | None:
    """The number; None for NaN and for what is none."""
    try:
        real = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return None if math.isnan(real) else real
