"""A real kubectl against a replay of a shipped capture."""

import os
import re
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meshforensics.bundle import Bundle, open_bundle
from meshforensics.importers import import_evidence
from meshforensics.replay import replay
from tests.replay.evidence import write

pytestmark = pytest.mark.kubectl
Kubectl = Callable[..., subprocess.CompletedProcess[bytes]]
PROXY = ("-n", "bank")
GATEWAY = "istio-system"


def _program() -> str:
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("needs kubectl, which is not on this machine")
    return program


def _environment(kubeconfig: Path, *, websockets: bool = True) -> dict[str, str]:
    """The environment of a kubectl; without websockets it speaks as those before 1.31 did."""
    said = str(websockets).lower()
    own = {"KUBECTL_PORT_FORWARD_WEBSOCKETS": said, "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": said}
    return {**os.environ, "KUBECONFIG": str(kubeconfig), "HOME": str(kubeconfig.parent), **own}


def _kubectl(kubeconfig: Path, *, websockets: bool = True) -> Kubectl:
    program = _program()
    environment = _environment(kubeconfig, websockets=websockets)

    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([program, *arguments], capture_output=True, check=False, env=environment, timeout=60)

    return run


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return open_bundle(str(Path(__file__).resolve().parent.parent.parent / "captures" / "upgrade-503"))


@pytest.fixture(scope="module")
def kubeconfig(bundle: Bundle) -> Iterator[Path]:
    with replay(bundle) as served:
        yield served.kubeconfig


@pytest.fixture(scope="module")
def kubectl(kubeconfig: Path) -> Kubectl:
    return _kubectl(kubeconfig)


@pytest.fixture(scope="module")
def pod(bundle: Bundle) -> str:
    """A pod of the namespace bank."""
    subjects = sorted({item.subject for item in bundle.items if item.kind == "envoy.memory"})
    return next(subject for subject in subjects if subject.startswith("bank/")).partition("/")[2]


def captured(bundle: Bundle, kind: str, pod: str) -> bytes:
    """The newest captured bytes of a pod of bank."""
    found = [item for item in bundle.items if (item.kind, item.subject) == (kind, f"bank/{pod}")]
    return bundle.read(max(found, key=lambda item: str(item.captured_at)))


def test_get_pods_of_all_namespaces(kubectl: Kubectl) -> None:
    lines = kubectl("get", "pods", "-A", "--chunk-size=2").stdout.decode().splitlines()

    assert lines[0].split() == ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert [line.split()[0] for line in lines[1:]] == ["bank"] * 5 + ["istio-system"] * 3 + ["risk"] * 2
    assert {tuple(line.split()[2:]) for line in lines[1:]} == {
        ("1/1", "Running", "0", "3d"),
        ("1/1", "Running", "0", "25s"),
        ("2/2", "Running", "0", "3d"),
        ("0/1", "Running", "0", "<unknown>"),
    }


def test_get_and_describe_one_pod(kubectl: Kubectl, pod: str) -> None:
    said = kubectl(*PROXY, "get", "pod", pod, "-o", "yaml")

    assert (said.returncode, said.stderr) == (0, b"")
    assert f"  name: {pod}\n".encode() in said.stdout
    assert re.search(rb"Name: +" + pod.encode(), kubectl(*PROXY, "describe", "pod", pod).stdout)


def test_get_custom_resources_and_api_resources(kubectl: Kubectl) -> None:
    routes = kubectl("get", "virtualservices", "-A", "-o", "name").stdout.decode().split()
    resources = kubectl("api-resources", "--api-group=networking.istio.io", "-o", "name").stdout.decode().split()

    assert routes == [f"virtualservice.networking.istio.io/{name}" for name in ("ingress", "menu")]
    assert "destinationrules.networking.istio.io" in resources


def test_get_with_selectors_and_a_watch_that_ends(kubectl: Kubectl) -> None:
    said = kubectl("get", "pods", "-A", "-w", "-l", "app=desk", "--field-selector=status.phase=Running", "-o", "name")

    assert [line.partition("-")[0] for line in said.stdout.decode().split()] == ["pod/desk"] * 2


def test_logs(kubectl: Kubectl, bundle: Bundle, pod: str) -> None:
    said = kubectl(*PROXY, "logs", pod, "-c", "istio-proxy")
    tail = kubectl(*PROXY, "logs", pod, "-c", "istio-proxy", "--tail=1")

    log = captured(bundle, "log.istio-proxy", pod)
    assert said.stdout == log
    assert tail.stdout == log.splitlines(keepends=True)[-1]


def test_previous_logs_that_were_not_captured_are_named(kubectl: Kubectl, pod: str) -> None:
    said = kubectl(*PROXY, "logs", pod, "-c", "istio-proxy", "-p")

    assert said.returncode == 1
    assert f"log.istio-proxy.previous of bank/{pod} is not in this bundle".encode() in said.stderr


def test_previous_logs(tmp_path: Path) -> None:
    with replay(write(str(tmp_path / "bundle.zip"))) as served:
        said = _kubectl(served.kubeconfig)("-n", "shop", "logs", "web-0", "-c", "istio-proxy", "-p")

    assert said.stdout == b"before the crash\n"


def test_events(tmp_path: Path) -> None:
    with replay(write(str(tmp_path / "bundle.zip"))) as served:
        kubectl = _kubectl(served.kubeconfig)
        table = kubectl("get", "events", "-A").stdout.decode().splitlines()
        own = kubectl("-n", "shop", "events", "--for", "pod/web-0").stdout.decode()
        described = kubectl("-n", "shop", "describe", "pod", "web-0").stdout.decode()

    assert table[1].split()[:5] == ["shop", "5m", "Warning", "BackOff", "pod/web-0"]
    assert own.splitlines()[1].split()[-3:] == ["restarting", "failed", "container"]
    assert "restarting failed container" in described


def test_events_and_secrets_of_a_bug_report_are_made_of_its_printed_tables(examples: Path, tmp_path: Path) -> None:
    parts = [examples / "05-upgrade-503" / part for part in ("before", "during")]
    with replay(import_evidence(parts, str(tmp_path / "bundle"))) as served:
        kubectl = _kubectl(served.kubeconfig)
        events = kubectl("get", "events", "-A", "--field-selector=reason=ScalingReplicaSet", "--no-headers")
        secrets = kubectl("get", "secrets", "-A", "--no-headers")

    assert re.split(r"\s{2,}", events.stdout.decode().strip()) == [
        "istio-system", "30s", "Normal", "ScalingReplicaSet", "deployment/istiod",
        "Scaled up replica set istiod-6f9c7d5b8d to 1",
    ]  # fmt: skip
    assert secrets.stdout.decode().split() == ["istio-system", "cacerts", "Opaque", "<unknown>", "31h"]


def test_versions_are_those_of_the_captured_cluster(kubectl: Kubectl) -> None:
    assert kubectl("version").stdout.decode().splitlines()[-1] == "Server Version: v1.34.0-meshforensics-replay"


@pytest.mark.parametrize("websockets", [True, False])
def test_exec(kubeconfig: Path, bundle: Bundle, pod: str, websockets: bool) -> None:
    kubectl = _kubectl(kubeconfig, websockets=websockets)
    agent = ("exec", pod, "-c", "istio-proxy", "--", "pilot-agent", "request", "GET")

    said = kubectl(*PROXY, *agent, "config_dump?include_eds")
    other = kubectl(*PROXY, "exec", pod, "-c", "istio-proxy", "--", "cat", "/etc/hosts")

    assert said.stdout == captured(bundle, "envoy.config_dump", pod) + b"\n"
    assert (other.returncode, other.stdout) == (126, b"")
    assert other.stderr.startswith(b"replay runs nothing")


def test_what_may_be_done_is_told(kubectl: Kubectl) -> None:
    said = [kubectl("auth", "can-i", verb, "pods") for verb in ("list", "delete")]

    assert [(one.returncode, one.stdout[:3].strip()) for one in said] == [(0, b"yes"), (1, b"no")]
    assert b"*.*" in kubectl("auth", "can-i", "--list").stdout


def test_nothing_can_be_changed(kubectl: Kubectl, pod: str) -> None:
    said = kubectl(*PROXY, "delete", "pod", pod, "--wait=false")

    assert said.returncode == 1
    assert b"(MethodNotAllowed): this is a replay of captured evidence" in said.stderr


def test_diff_shows_what_a_changed_object_would_change(kubectl: Kubectl, tmp_path: Path) -> None:
    saved = kubectl(*PROXY, "get", "virtualservice", "menu", "-o", "yaml").stdout
    same, other, file = tmp_path / "same.yaml", tmp_path / "other.yaml", tmp_path / "pod.yaml"
    same.write_bytes(saved)
    other.write_bytes(saved.replace(b"subset: v4", b"subset: v3"))
    file.write_bytes(
        kubectl(*PROXY, "get", "deploy", "desk-v3", "-o", "yaml").stdout.replace(b"replicas: 1", b"replicas: 2")
    )

    unchanged, changed, built_in = (kubectl("diff", "-f", str(path)) for path in (same, other, file))

    assert (unchanged.returncode, unchanged.stdout) == (0, b"")
    assert changed.returncode == 1
    lines = [
        line for line in changed.stdout.decode().splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}
    ]
    assert lines == ["-        subset: v4", "+        subset: v3"]
    assert b"nothing of this bundle tells how the fields of a built-in kind are merged" in built_in.stderr
    assert kubectl(*PROXY, "get", "virtualservice", "menu", "-o", "yaml").stdout == saved


def test_diff_shows_a_new_object_whole(kubectl: Kubectl, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: new, namespace: bank}\n"
        "spec: {rules: [{}]}\n"
    )

    said = kubectl("diff", "-f", str(new))

    assert said.returncode == 1
    assert b"+kind: AuthorizationPolicy" in said.stdout


@pytest.mark.parametrize("websockets", [True, False])
def test_port_forward(kubeconfig: Path, bundle: Bundle, pod: str, websockets: bool) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [_program(), *PROXY, "port-forward", pod, f"{port}:15000", "--address=127.0.0.1"]
    environment = _environment(kubeconfig, websockets=websockets)

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as forward:
        try:
            assert forward.stdout is not None
            assert forward.stdout.readline().startswith(b"Forwarding from 127.0.0.1")
            said = [_get(port, path) for path in ("config_dump?include_eds", "certs")]
        finally:
            forward.terminate()

    assert said == [captured(bundle, kind, pod) for kind in ("envoy.config_dump", "envoy.certs")]


def _get(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=20) as said:
        made: bytes = said.read()
    return made
