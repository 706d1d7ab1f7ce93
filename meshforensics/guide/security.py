"""Certificates and who may call whom: the guide's phase 3 and its emergency steps."""

from dataclasses import replace

from meshforensics.guide._declare import Setting, topic
from meshforensics.guide.envoy import agent
from meshforensics.model import Hypothesis, Standing
from meshforensics.recovery import Command, Deed, Mesh, Part, Situation, declared_steps, kubectl

_LEAVES = (
    ".certificates[] | {san: [.cert_chain[]?.subject_alt_names[]?], from: .cert_chain[0]?.valid_from, "
    "until: .cert_chain[0]?.expiration_time, roots: [.ca_cert[]?.serial_number]}"
)


@topic(
    "certificates",
    about="Which certificates a proxy holds, until when, and which roots it trusts",
    source="quick reference; phase 3, step 5",
    claims=("5.1", "5.2", "5.3", "5.4", "5.5", "0.1"),
)
def certificates(setting: Setting) -> tuple[Part, ...]:
    """A workload leaf lives a day and is renewed at half: its end alone says nothing."""
    namespace, pod = setting.service.pod
    return (
        agent(setting, "certs", pipe=("jq", _LEAVES), about="expiration_time against the clock of the capture"),
        Command(words=("istioctl", "proxy-config", "secret", pod, "-n", namespace)),
        Command(words=("meshforensics", "tables", "incident.zip", "certificates"), about="of every proxy at once"),
        f"The leaf's name is spiffe://TRUST-DOMAIN/ns/{namespace}/sa/SERVICE-ACCOUNT, not the service's.",
    )


@topic(
    "root-ca",
    about="The four places where a root is kept, and until when each is valid",
    source="phase 3, step 5",
    claims=("5.6", "5.7", "5.8", "5.9", "5.10", "5.11", "0.7"),
)
def root_ca(setting: Setting) -> tuple[Part, ...]:
    """Certificates only; the key in the same Secret is never printed."""
    mesh = setting.mesh
    each_block = ("openssl", "storeutl", "-noout", "-text", "-certs", "/dev/stdin")
    secrets = (mesh.signer,) if mesh.signer else ("istio-ca-secret", "cacerts")
    keys = {"cacerts": (r"ca-cert\.pem", r"root-cert\.pem"), "istio-ca-secret": (r"ca-cert\.pem",)}
    return (
        *(
            kubectl("get", "secret", name, "-o", f"jsonpath={{.data.{key}}}", namespace=mesh.system,
                    pipes=(("base64", "-d"), each_block))
            for name in secrets for key in keys[name]
        ),
        kubectl("get", "cm", "istio-ca-root-cert", "-o", r"jsonpath={.data.root-cert\.pem}",
                namespace=setting.service.namespace, pipes=(each_block,), about="what a namespace is told"),
        agent(setting, "certs", pipe=("jq", ".certificates[].ca_cert[]? | {serial_number, expiration_time}"),
              about="what a proxy trusts"),
        Command(words=("meshforensics", "tables", "incident.zip", "trust"), about="by key, for every proxy"),
    )  # fmt: skip


@topic(
    "access-test",
    about="Whether one workload may call another, and which policy says so",
    source="phase 3, step 6",
    claims=("5.12", "5.13", "5.14", "13.8", "0.5", "9.8", "1.8"),
)
def access_test(setting: Setting) -> tuple[Part, ...]:
    """From the application's container: what the sidecar itself sends is not captured by it."""
    service, mesh = setting.service, setting.mesh
    namespace, pod = service.caller
    url = f"http://{service.host}:{service.port or 'PORT'}/"
    server_namespace, server = service.pod
    return (
        kubectl("get", "authorizationpolicies.security.istio.io", "-A", "-o", "wide",
                about=f"those of {mesh.root} hold everywhere"),
        Command(words=("istioctl", "x", "authz", "check", f"{server}.{server_namespace}"),
                about="the policies that the server's proxy enforces"),
        kubectl("debug", pod, "--image=curlimages/curl", "--profile=general", "-it", "--", "curl", "-sv", url,
                namespace=namespace, about="from the caller's pod, through its sidecar"),
        kubectl("logs", server, "-c", "istio-proxy", "--tail=500", namespace=server_namespace,
                pipes=(("grep", "rbac_access_denied"),), about="names the policy; [none]: no ALLOW matched"),
    )  # fmt: skip


@topic(
    "access-bypass",
    about="Loosen one access policy for a while, backup first",
    source="quick reference; immediate actions, 2",
    claims=("9.2", "10.10", "9.9"),
)
def access_bypass(setting: Setting) -> tuple[Part, ...]:
    """Dry run, else an overlay; deletion last, of one policy."""
    made: list[Part] = []
    for name in ("authz-dry-run", "authz-overlay", "authz-delete"):
        step = declared_steps()[name]
        deed = _deed(setting, name)
        made += [f"{step.title}. {step.when}", *deed.do, "Undo:", *deed.undo]
    return tuple(made)


@topic(
    "permissive",
    about="Let one workload take plaintext for a while",
    source="immediate actions, 1",
    claims=("9.1", "0.2", "0.3"),
)
def permissive(setting: Setting) -> tuple[Part, ...]:
    """It repairs no certificate."""
    deed = _deed(setting, "mtls-permissive")
    return (
        kubectl("get", "peerauthentications.security.istio.io", "-A",
                about="the oldest of a scope wins; a workload's own goes before its namespace's"),
        declared_steps()["mtls-permissive"].when, *deed.do, "Undo:", *deed.undo,
    )  # fmt: skip


@topic(
    "certificate-rotation",
    about="Give a workload a new certificate, and replace a root",
    source="advanced recovery techniques",
    claims=("9.5", "9.6", "9.7", "13.7"),
)
def certificate_rotation(setting: Setting) -> tuple[Part, ...]:
    """A leaf is renewed by its agent; a root by its Secret, with an overlap."""
    workload = setting.service.workload
    return (
        kubectl("rollout", "restart", workload.short, namespace=workload.namespace,
                about="the agent of a new pod asks for a new leaf; or wait for half its life"),
        kubectl("rollout", "status", workload.short, "--timeout=10m", namespace=workload.namespace),
        agent(setting, "certs", pipe=("jq", _LEAVES), about="a new leaf has 24 h by default, not a year"),
        "A root is replaced with an overlap, in steps that can be undone:",
        Command(words=("meshforensics", "recover", "incident.zip", "--incident", "ca-rotation")),
    )  # fmt: skip


def _deed(setting: Setting, step: str) -> Deed:
    """A recovery step for the setting's service."""
    mesh = _about(setting)
    verdict = Hypothesis(incident="rbac-denied", status=Standing.POSSIBLE, confidence=0.0)
    deed = declared_steps()[step].make(Situation(mesh=mesh, verdict=verdict, paths=("incident.zip",)))
    assert deed is not None
    return deed


def _about(setting: Setting) -> Mesh:
    """The mesh, with the setting's workload as what it is about."""
    mesh, service = setting.mesh, setting.service
    labels = {**mesh.labels, **({service.workload: dict(service.selector)} if service.selector else {})}
    return replace(mesh, workloads=(service.workload,), labels=labels)
