"""The same questions asked of Linkerd, for which the guide has no command."""

from meshforensics.guide._declare import Setting, topic
from meshforensics.recovery import Command, Part


@topic(
    "linkerd",
    about="The same questions, asked of Linkerd",
    source="named in the overview, without a command",
    claims=("12.1", "12.2", "12.3", "12.4", "12.5", "12.6"),
)
def linkerd(setting: Setting) -> tuple[Part, ...]:
    """Checks, metrics, endpoints, policy, identity."""
    service = setting.service
    namespace, pod = service.pod
    address = f"{service.host}:{service.port or 'PORT'}"
    return (
        Command(words=("linkerd", "check", "--proxy"), about="anchors, issuer, proxies, versions, clocks"),
        Command(words=("linkerd", "diagnostics", "proxy-metrics", "-n", namespace, f"po/{pod}")),
        Command(words=("linkerd", "diagnostics", "endpoints", address), about="what the destination service says"),
        Command(words=("linkerd", "diagnostics", "policy", "-n", namespace, f"po/{pod}", str(service.port or "PORT"))),
        Command(words=("linkerd", "identity", "-n", namespace, pod), about="certificates, as PEM"),
    )
