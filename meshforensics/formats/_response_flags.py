"""Envoy's response flags, by their long names (``%RESPONSE_FLAGS_LONG%``).

Source: Envoy docs/root/configuration/observability/access_log/usage.rst and stream_info/utility.h.
"""

from functools import lru_cache

_SHORT = {
    "NoHealthyUpstream": "UH",
    "UpstreamConnectionFailure": "UF",
    "UpstreamOverflow": "UO",
    "NoRouteFound": "NR",
    "UpstreamRetryLimitExceeded": "URX",
    "NoClusterFound": "NC",
    "DurationTimeout": "DT",
    "DownstreamConnectionTermination": "DC",
    "FailedLocalHealthCheck": "LH",
    "UpstreamRequestTimeout": "UT",
    "LocalReset": "LR",
    "UpstreamRemoteReset": "UR",
    "UpstreamConnectionTermination": "UC",
    "DelayInjected": "DI",
    "FaultInjected": "FI",
    "RateLimited": "RL",
    "UnauthorizedExternalService": "UAEX",
    "RateLimitServiceError": "RLSE",
    "InvalidEnvoyRequestHeaders": "IH",
    "StreamIdleTimeout": "SI",
    "DownstreamProtocolError": "DPE",
    "UpstreamProtocolError": "UPE",
    "UpstreamMaxStreamDurationReached": "UMSDR",
    "ResponseFromCacheFilter": "RFCF",
    "NoFilterConfigFound": "NFCF",
    "OverloadManagerTerminated": "OM",
    "DnsResolutionFailed": "DF",
    "DropOverload": "DO",
    "DownstreamRemoteReset": "DR",
    "UnconditionalDropOverload": "UDO",
}


@lru_cache(maxsize=4096)
def flags_of(text: str) -> tuple[str, ...]:
    """The flags of one request as a sorted set; Envoy joins them by commas in no fixed order.

    A long name becomes its short one; a name that nobody knows is kept, because extensions add their own.

    >>> flags_of("URX,UF"), flags_of("-"), flags_of("NoRouteFound,XX")
    (('UF', 'URX'), (), ('NR', 'XX'))
    """
    names = {_SHORT.get(name, name) for name in text.split(",")}
    return tuple(sorted(names - {"-", ""}))
