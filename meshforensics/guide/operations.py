"""What changes proxies or istiod: pushes, limits, tracing."""

from meshforensics.guide._declare import Setting, topic
from meshforensics.guide.routing import telemetry
from meshforensics.recovery import Command, Manifest, Part, kubectl


@topic(
    "forced-sync",
    about="Have istiod send configuration once more",
    source="quick reference; immediate actions, 4",
    claims=("9.4", "10.7"),
)
def forced_sync(setting: Setting) -> tuple[Part, ...]:
    """No command forces it, and none is needed: any change is pushed."""
    service, mesh = setting.service, setting.mesh
    held = service.route or service.rule
    target = held.named.short if held else "virtualservices.networking.istio.io/SERVICE"
    namespace = held.named.namespace if held else service.namespace
    return (
        Command(words=("istioctl", "proxy-status"), about="is anything STALE at all?"),
        kubectl("annotate", target, "pushed-again=1", "--overwrite", namespace=namespace,
                about="a change of any object is pushed"),
        kubectl("annotate", target, "pushed-again-", namespace=namespace),
        "Only where istiod is stuck, one replica after the other:",
        *(kubectl("rollout", "restart", each.short, namespace=each.namespace) for each in mesh.istiods),
    )  # fmt: skip


@topic(
    "sidecar-limits",
    about="Requests and limits of one workload's sidecar",
    source="anti-pattern 2",
    claims=("10.4", "10.5", "13.15"),
)
def sidecar_limits(setting: Setting) -> tuple[Part, ...]:
    """By annotations of the pod template: all four, since one of them drops every default."""
    workload = setting.service.workload
    held = setting.mesh.resources.get(workload)
    memory = f"{held.memory_limit_bytes // 2**20}Mi" if held else "1024Mi"
    cpu = f"{held.cpu_limit_m}m" if held else "2000m"
    annotations = {
        "sidecar.istio.io/proxyCPU": f"{held.cpu_request_m}m" if held else "100m",
        "sidecar.istio.io/proxyCPULimit": cpu,
        "sidecar.istio.io/proxyMemory": f"{held.memory_request_bytes // 2**20}Mi" if held else "128Mi",
        "sidecar.istio.io/proxyMemoryLimit": memory,
    }
    file = f"{workload.namespace}-{workload.name}-limits.yaml"
    return (
        Manifest(
            file=file,
            partial=True,
            about="as it is now; change what you mean to" if held else "Istio's defaults; change what you mean to",
            documents=({"spec": {"template": {"metadata": {"annotations": annotations}}}},),
        ),
        kubectl("patch", workload.short, "--type=merge", "--patch-file", file, "--dry-run=server",
                namespace=workload.namespace),
        kubectl("patch", workload.short, "--type=merge", "--patch-file", file, namespace=workload.namespace,
                about="its pods restart"),
        kubectl("rollout", "status", workload.short, "--timeout=10m", namespace=workload.namespace),
    )  # fmt: skip


@topic(
    "debug-tracing",
    about="Trace every call of one workload",
    source="quick reference",
    claims=("10.8", "10.9", "8.1"),
)
def debug_tracing(setting: Setting) -> tuple[Part, ...]:
    """By Telemetry; a tracing provider has to be configured."""
    service, mesh = setting.service, setting.mesh
    file = f"{service.namespace}-{service.name}-tracing.yaml"
    name = f"{service.name}-tracing"
    return (
        kubectl("get", "cm", "istio", "-o", r"jsonpath={.data.mesh}", namespace=mesh.system,
                about="extensionProviders and defaultProviders.tracing: without one nothing is sent"),
        Manifest(file=file, documents=(telemetry(mesh, name, service.namespace, service.labels),)),
        kubectl("apply", "--dry-run=server", "-f", file),
        kubectl("apply", "-f", file),
        "The first proxy of a call decides whether it is traced: set it on the gateway or the first caller too.",
        kubectl("delete", "telemetries.telemetry.istio.io", name, namespace=service.namespace,
                about="when you are done"),
    )  # fmt: skip
