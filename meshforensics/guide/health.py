"""Whether proxies and the control plane are well: the guide's phase 1."""

from meshforensics.guide._declare import Setting, topic
from meshforensics.recovery import Command, Part, kubectl

_READY = (
    "custom-columns=IN:.metadata.namespace,POD:.metadata.name,PHASE:.status.phase,"
    'SIDECAR:.status.containerStatuses[?(@.name=="istio-proxy")].ready,'
    'NATIVE:.status.initContainerStatuses[?(@.name=="istio-proxy")].ready'
)


@topic(
    "proxy-status",
    about="Whether every proxy has what the control plane sent",
    source="quick reference; phase 1",
    claims=("10.6", "13.18", "3.2"),
)
def proxy_status(setting: Setting) -> tuple[Part, ...]:
    """XDS only: a proxy in step can be sick."""
    mesh = setting.mesh
    namespace, pod = setting.service.pod
    parts: list[Part] = [
        Command(words=("istioctl", "proxy-status"), about="STALE: sent, not acknowledged; NOT SENT: nothing to send"),
        Command(words=("istioctl", "proxy-status", f"{pod}.{namespace}"), about="what differs for one proxy"),
        *(kubectl("exec", each.short, "--", "pilot-discovery", "request", "GET", "/debug/syncz",
                  namespace=each.namespace, about="one replica; each knows its own proxies only")
          for each in mesh.istiods),
    ]  # fmt: skip
    if mesh.ztunnel:
        config = ("ztunnel-config",) if mesh.at_least(1, 24) else ("x", "ztunnel-config")
        parts.append(Command(words=("istioctl", *config, "workloads"), about="what ztunnel knows"))
    return tuple(parts)


@topic(
    "sidecar-health",
    about="Which sidecars are not ready, restarting, or near their limits",
    source="phase 1, step 1",
    claims=("3.1", "3.3", "3.4", "3.5", "3.6", "0.4"),
)
def sidecar_health(_: Setting) -> tuple[Part, ...]:
    """Native sidecars are init containers."""
    return (
        kubectl("get", "pods", "-A", "--field-selector=status.phase=Running", "-o", _READY,
                about="false in either column; <none> in both has no sidecar"),
        kubectl("top", "pods", "-A", "--containers", "--sort-by=memory", about="columns: pod, name, CPU, memory"),
        kubectl("get", "events", "-A", "--field-selector=type=Warning", about="probes, kills, back-off"),
    )  # fmt: skip


@topic(
    "control-plane",
    about="Whether istiod is up, has room, and keeps up",
    source="phase 1, step 2",
    claims=("3.7", "3.8", "3.9", "13.2", "13.3", "2.2"),
)
def control_plane(setting: Setting) -> tuple[Part, ...]:
    """Pilot, Citadel and Galley are one process; their metrics keep the old names."""
    mesh = setting.mesh
    return (
        kubectl("get", "pods", "-l", "app=istiod", "-o", "wide", namespace=mesh.system),
        kubectl("top", "pods", "-l", "app=istiod", "--containers", namespace=mesh.system),
        *(kubectl("exec", each.short, "--", "pilot-discovery", "request", "GET", "/metrics", namespace=each.namespace,
                  pipes=(("grep", "-E", "^(pilot_(xds|proxy_convergence|total_xds_rejects)|citadel_|galley_)"),),
                  about="pushes and rejects, signing, validation")
          for each in mesh.istiods),
        kubectl("get", "mutatingwebhookconfigurations,validatingwebhookconfigurations"),
    )  # fmt: skip
