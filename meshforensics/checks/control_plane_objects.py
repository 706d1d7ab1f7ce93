"""Objects that contradict each other, as istiod found them while it made the configuration."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.tables import ABSENT, of_items, text, texts

_CONFLICTS = {
    "pilot_vservice_dup_domain": "VirtualServices name one domain twice; one of them is dropped",
    "pilot_destrule_subsets": "DestinationRules of one host name a subset twice; one of them is dropped",
    "pilot_duplicate_envoy_clusters": "ServiceEntries of one host make one cluster twice; one of them is dropped",
    "pilot_conflict_inbound_listener": "two services select one port of a pod; one of them is dropped",
    "pilot_conflict_outbound_listener_tcp_over_current_tcp": "two TCP services want one listener; one is dropped",
    "pilot_conflict_outbound_listener_http_over_current_tcp": "an HTTP service wants a listener that is TCP's",
    "pilot_conflict_outbound_listener_tcp_over_current_http": "a TCP service wants a listener that is HTTP's",
    "pilot_conflict_outbound_listener_http_over_https": "an HTTP service wants a listener that is TLS's",
}
_WITHOUT_ENDPOINTS = ("pilot_eds_no_instances", "pilot_dns_cluster_without_endpoints")


@check(
    "control-plane.conflicting-objects",
    phase="control-plane",
    plane="state",
    severity="warning",
    by=["metric"],
    subject="{resource_name}",
    observed="metric",
    title="Objects contradict each other",
    detail="{count:case|s}, {resource_name}{count:~| first}: {what}; {message}",
    remediation="Keep one of the objects, or tell them apart by host, port or exportTo.",
    source="guide, diagram (galley, configuration store); istiod debug/push_status",
)
def conflicting_objects(push_problems: pd.DataFrame) -> pd.DataFrame:
    own = push_problems[push_problems["metric"].isin(_CONFLICTS)]
    what = [_CONFLICTS[metric] for metric in texts(own["metric"])]
    return own.assign(what=what, resource_name=text(own["resource_name"]), message=text(own["message"]))


@check(
    "control-plane.conflicts-counted",
    phase="control-plane",
    plane="state",
    severity="warning",
    by=["name"],
    observed="real",
    unit="objects",
    title="istiod counts objects that contradict each other",
    detail="{name} of {namespace}/{pod} is {real}: {what}; which ones was not captured",
    remediation="Capture /debug/push_status, which names them.",
    source="istiod metrics; debug/push_status names the objects of the last push",
)
def conflicts_counted(stats: pd.DataFrame, push_problems: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """What push_status names is not said twice."""
    own = of_items(stats[stats["name"].isin(_CONFLICTS)], "istiod.metrics")
    named = set(texts(push_problems["metric"])) if len(push_problems) else set()
    rows = own[(own["real"] > 0) & ~own["name"].isin(named)]
    return rows.assign(what=[_CONFLICTS[name] for name in texts(rows["name"])])


@check(
    "control-plane.clusters-without-endpoints",
    phase="control-plane",
    plane="state",
    severity="info",
    by=["metric"],
    subject="{resource_name}",
    observed="metric",
    title="istiod knows clusters without endpoints",
    detail="{count:cluster has|clusters have} no endpoint, {resource_name}{count:~| first}",
    remediation="Nothing where nobody calls them; else look at the selector of the service and at its pods.",
    source="istiod debug/push_status, pilot_eds_no_instances",
)
def clusters_without_endpoints(push_problems: pd.DataFrame) -> pd.DataFrame:
    own = push_problems[push_problems["metric"].isin(_WITHOUT_ENDPOINTS)]
    return own.assign(resource_name=text(own["resource_name"]))
