"""Where calls go: the guide's step 4, its debug template and its first anti-pattern."""

from typing import Any

from meshforensics.guide._declare import Setting, topic
from meshforensics.guide._service import Held, Service
from meshforensics.recovery import Command, Manifest, Mesh, Part, is_name, kubectl
from meshforensics.recovery.access import backup

_ALL = (
    "virtualservices.networking.istio.io,destinationrules.networking.istio.io,gateways.networking.istio.io,"
    "serviceentries.networking.istio.io,sidecars.networking.istio.io,envoyfilters.networking.istio.io,"
    "workloadentries.networking.istio.io"
)
_DEBUG = "debug"
"""Name of the subset, the header and the route."""


@topic(
    "routing",
    about="Which objects route to a service, and what a proxy made of them",
    source="phase 2, step 4",
    claims=("4.6", "4.8", "4.9", "4.10", "13.12"),
)
def routing(setting: Setting) -> tuple[Part, ...]:
    """The objects say what is meant, the caller's proxy what happens."""
    mesh, service = setting.mesh, setting.service
    namespace, pod = service.caller
    return (
        kubectl("get", ",".join(mesh.kinds) or _ALL, "-A"),
        Command(words=("istioctl", "analyze", "-A"), about="conflicts, missing subsets and hosts"),
        Command(words=("istioctl", "proxy-config", "routes", pod, "-n", namespace, "-o", "json")),
        Command(words=("istioctl", "proxy-config", "endpoints", pod, "-n", namespace, "--cluster",
                       f"outbound|{service.port or 'PORT'}||{service.host}"), about="empty: no healthy upstream"),
    )  # fmt: skip


@topic(
    "validate",
    about="Change a route without surprises",
    source="anti-pattern 1",
    claims=("10.1", "10.2", "10.3", "13.13", "13.14"),
)
def validate(setting: Setting) -> tuple[Part, ...]:
    """A whole file from Git; patches are validated as well, and merge into what others changed."""
    del setting
    return (
        Command(words=("istioctl", "analyze", "--use-kube=false", "--failure-threshold", "Error", "FILE")),
        kubectl("apply", "--dry-run=server", "-f", "FILE", about="schema and webhooks; changes nothing"),
        kubectl("diff", "-f", "FILE"),
        kubectl("apply", "-f", "FILE", about="the guide stops before this"),
        Command(words=("istioctl", "analyze", "-A"), about="a missing subset or host is no error to the server"),
        kubectl("get", "virtualservices.networking.istio.io", "-A", "-o", "yaml", "--show-managed-fields",
                about="who changed which field, with what tool"),
    )  # fmt: skip


@topic(
    "debug-route",
    about="Send calls that carry a header to another subset, and trace them",
    source="“Booking.com's” VirtualService template",
    claims=("8.1", "8.2", "8.3", "8.4", "8.5", "13.10", "13.11", "13.12"),
)
def debug_route(setting: Setting) -> tuple[Part, ...]:
    """The rule that matches comes first; the subset exists before the route that names it."""
    service, mesh = setting.service, setting.mesh
    base = f"{service.namespace}-{service.name}"
    rule, route, trace = (f"{base}-{what}.yaml" for what in ("subset", "route", "tracing"))
    return (
        *kept(service.rule, service.route),
        *_lacking(service),
        Manifest(file=rule, documents=(_rule(mesh, service),), about="first: the subset that the route will name"),
        Manifest(file=route, documents=(_route(setting),), about="then the route; the matching rule first"),
        Manifest(
            file=trace,
            documents=(telemetry(mesh, f"{service.name}-{_DEBUG}", service.namespace, service.labels),),
            about="every call traced; the first proxy of a call decides, so that callers need it too",
        ),
        *(
            command
            for file in (rule, route, trace)
            for command in (
                kubectl("apply", "--dry-run=server", "-f", file),
                kubectl("diff", "-f", file),
                kubectl("apply", "-f", file),
            )
        ),
        f"Pods of the subset have the label version: {_DEBUG}. To undo: the saved files, route, then subset.",
    )


def kept(*objects: Held | None) -> tuple[Part, ...]:
    """Save the objects that are there before they are overwritten."""
    return tuple(backup(each.named) for each in objects if each)


def _lacking(service: Service) -> tuple[Part, ...]:
    """Say of subsets that the route names already and the rule does not have."""
    subsets = {each.get("name") for each in (service.rule.spec.get("subsets") or () if service.rule else ())}
    rules = (service.route.spec.get("http") or ()) if service.route else ()
    named = {
        target["destination"].get("subset")
        for rule in rules
        for target in rule.get("route") or ()
        if isinstance(target.get("destination"), dict)
    }
    lacking = sorted(each for each in named - subsets if isinstance(each, str) and is_name(each))
    if not lacking:
        return ()
    return (f"The route names {', '.join(lacking)} already, which no subset of the rule is: 503 NC until it is added.",)


def _rule(mesh: Mesh, service: Service) -> dict[str, Any]:
    """The service's DestinationRule with the subset added; a new one where it has none."""
    held = service.rule
    spec: dict[str, Any] = {"host": service.host, **(held.spec if held else {})}
    subsets = [each for each in spec.get("subsets") or () if isinstance(each, dict) and each.get("name") != _DEBUG]
    spec["subsets"] = [*subsets, {"name": _DEBUG, "labels": {"version": _DEBUG}}]
    return _object(mesh, "DestinationRule", service, held, spec)


def _route(setting: Setting) -> dict[str, Any]:
    """The service's VirtualService with the rule put first; one with a plain default route where it has none."""
    service = setting.service
    held = service.route
    number = setting.profile.number
    total, attempts = number("debug-route.timeout"), int(number("debug-route.attempts"))
    destination: dict[str, Any] = {"host": service.host, **({"port": {"number": service.port}} if service.port else {})}
    matching = {
        "name": _DEBUG,
        "match": [{"headers": {_DEBUG: {"exact": "true"}}}],
        "route": [{"destination": {**destination, "subset": _DEBUG}}],
        "headers": {"request": {"set": {"x-debug-request": "true"}}},
        "timeout": f"{total:g}s",
        "retries": {"attempts": attempts, "perTryTimeout": f"{int(total // (attempts + 1))}s"},
    }
    spec: dict[str, Any] = {"hosts": [service.host], **(held.spec if held else {})}
    others = [each for each in spec.get("http") or () if isinstance(each, dict) and each.get("name") != _DEBUG]
    spec["http"] = [matching, *(others or [{"route": [{"destination": destination}]}])]
    return _object(setting.mesh, "VirtualService", service, held, spec)


def _object(mesh: Mesh, kind: str, service: Service, held: Held | None, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": mesh.api("networking.istio.io"),
        "kind": kind,
        "metadata": {
            "name": held.named.name if held else service.name,
            "namespace": held.named.namespace if held else service.namespace,
        },
        "spec": spec,
    }


def telemetry(mesh: Mesh, name: str, namespace: str, labels: dict[str, str]) -> dict[str, Any]:
    """A Telemetry that traces every call of the selected pods."""
    return {
        "apiVersion": mesh.api("telemetry.istio.io"),
        "kind": "Telemetry",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "tracing": [{"randomSamplingPercentage": 100}]},
    }
