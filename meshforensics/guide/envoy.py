"""What one proxy holds and counts: the guide's phase 2."""

from typing import Any

from meshforensics.guide._declare import Setting, topic
from meshforensics.profile import Profile
from meshforensics.recovery import Command, Manifest, Part, kubectl
from meshforensics.recovery.access import backup


def agent(setting: Setting, page: str, *, caller: bool = False, about: str = "", pipe: tuple[str, ...] = ()) -> Command:
    """A page of a proxy's admin port, as the agent in its container asks for it; images without curl have it too."""
    namespace, pod = setting.service.caller if caller else setting.service.pod
    return kubectl(
        "exec", pod, "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", page, namespace=namespace,
        pipes=(pipe,) if pipe else (), about=about,
    )  # fmt: skip


@topic(
    "config-dump",
    about="The whole configuration of one proxy",
    source="quick reference; phase 2, step 4",
    claims=("4.1", "4.7", "7.11", "13.5"),
)
def config_dump(setting: Setting) -> tuple[Part, ...]:
    """Endpoints only when they are asked for."""
    namespace, pod = setting.service.pod
    routes = '.configs[] | select(."@type" // "" | endswith("RoutesConfigDump"))'
    return (
        agent(setting, "config_dump?include_eds", about="private keys are redacted, header values are not"),
        agent(setting, "config_dump", pipe=("jq", routes), about="its routes"),
        Command(words=("istioctl", "proxy-config", "all", pod, "-n", namespace, "-o", "json")),
        Command(words=("istioctl", "proxy-config", "routes", pod, "-n", namespace)),
        f"Of every pod at once, with hashes: meshforensics capture -n {namespace} -o incident.zip",
    )


@topic(
    "traffic",
    about="Answers and active requests as a proxy counts them",
    source="phase 2, step 3",
    claims=("4.2", "4.3", "4.4", "13.1", "13.4"),
)
def traffic(setting: Setting) -> tuple[Part, ...]:
    """Counters since its start: two readings make a rate."""
    namespace, pod = setting.service.caller
    return (
        agent(setting, "stats?filter=upstream_rq|downstream_rq_active&usedonly", caller=True,
              about="most are not kept by default; absent is not zero"),
        agent(setting, "clusters", caller=True, about="rq_error, cx_connect_fail and health flags, host by host"),
        Command(words=("istioctl", "x", "envoy-stats", f"{pod}.{namespace}", "--type", "clusters")),
        kubectl("logs", pod, "-c", "istio-proxy", "--tail=200", namespace=namespace,
                about="flags and details say who answered, where access logs are on"),
    )  # fmt: skip


@topic(
    "breakers",
    about="Whether a connection limit is reached, and how often it was",
    source="quick reference; phase 2, step 3",
    claims=("4.5", "2.4", "9.3", "13.6", "1.7", "0.6"),
)
def breakers(setting: Setting) -> tuple[Part, ...]:
    """Asked of the callers: a limit towards a service trips where the calls come from."""
    service = setting.service
    namespace, pod = service.caller
    return (
        agent(setting, "stats?filter=circuit_breakers|_overflow", caller=True,
              about="gauge 1 only while at the limit; the overflow counters remember"),
        agent(setting, "clusters", caller=True, pipe=("grep", "-E", f"{service.host}::(default_|.*::cx_active)"),
              about="limits and what is in use"),
        Command(words=("istioctl", "proxy-config", "cluster", pod, "-n", namespace, "--fqdn", service.host, "-o",
                       "json"), about="circuitBreakers.thresholds; 4294967295 never opens"),
        "There is nothing to reset or close: a limit admits calls again as soon as fewer are active.",
    )  # fmt: skip


@topic(
    "memory",
    about="What a proxy's memory is made of, and whether it grows",
    source="the memory-leak script",
    claims=("7.1", "7.2", "7.3", "7.5", "7.6", "7.7", "7.8", "7.9", "7.10", "7.12", "6.2"),
)
def memory(setting: Setting) -> tuple[Part, ...]:
    """A series, with names and restarts, in bytes."""
    namespace, pod = setting.service.pod
    return (
        agent(setting, "memory", about="allocated is live; heap_size minus allocated is free inside the process"),
        Command(words=("meshforensics", "capture", "--pod", f"{namespace}/{pod}", "--watch", "2h", "--every", "10m",
                       "-o", "series.zip"), about="long enough to tell a leak from warming up"),
        Command(words=("meshforensics", "triage", "series.zip")),
    )  # fmt: skip


@topic(
    "connection-pools",
    about="Connection limits and ejection for one service, as a DestinationRule has them",
    source="“Lyft's” monitoring configuration",
    claims=("6.1", "6.3", "6.4", "6.5", "6.6", "6.7", "6.8", "6.9", "6.10"),
)
def connection_pools(setting: Setting) -> tuple[Part, ...]:
    """The numbers of the profile: --profile guide prints the guide's own."""
    service, policy = setting.service, _policy(setting.profile)
    total = setting.profile.number("pool.request-timeout")
    held = service.rule
    named = held.named if held else None
    spec = {"host": service.host, **(held.spec if held else {})}
    spec["trafficPolicy"] = {**(spec.get("trafficPolicy") or {}), **policy}
    file = f"{service.namespace}-{service.name}-pool.yaml"
    return (
        *((backup(held.named),) if held else ()),
        Manifest(
            file=file,
            about="added to the rule that the host has" if held else "",
            documents=(
                {
                    "apiVersion": setting.mesh.api("networking.istio.io"),
                    "kind": "DestinationRule",
                    "metadata": {
                        "name": named.name if named else service.name,
                        "namespace": named.namespace if named else service.namespace,
                    },
                    "spec": spec,
                },
            ),
        ),
        kubectl("apply", "--dry-run=server", "-f", file),
        kubectl("diff", "-f", file),
        (f"A request's whole time is a route's: VirtualService http[].timeout ({total:g}s here); Istio sets none."),
    )


def _policy(profile: Profile) -> dict[str, Any]:
    """A trafficPolicy with the numbers of a profile."""
    number = profile.number
    connect, interval, away = (number(each) for each in ("pool.connect-timeout", "ejection.interval", "ejection.time"))
    return {
        "connectionPool": {
            "tcp": {"maxConnections": int(number("pool.connections")), "connectTimeout": f"{connect:g}s"},
            "http": {
                "http1MaxPendingRequests": int(number("pool.pending-requests")),
                "http2MaxRequests": int(number("pool.requests")),
                "maxRetries": int(number("pool.retries")),
            },
        },
        "outlierDetection": {
            "consecutive5xxErrors": int(number("ejection.failures")),
            "interval": f"{interval:g}s",
            "baseEjectionTime": f"{away:g}s",
            "maxEjectionPercent": int(number("ejection.share")),
        },
    }
