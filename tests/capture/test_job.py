"""The Job that captures from inside the cluster: its parts fit each other, our roles, our command line, its image."""

import base64
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from meshforensics.bundle import open_bundle, verify
from meshforensics.cli import main
from meshforensics.model.version import __version__
from tests.capture.world import ROOT, kubeconfig, mesh, said, shop

DOCS = ROOT / "docs"


def documents(name: str) -> dict[str, dict[str, Any]]:
    """The objects of a manifest, by kind and name."""
    made = yaml.safe_load_all((DOCS / name).read_text(encoding="utf-8"))
    return {f"{each['kind']}:{each['metadata']['name']}": each for each in made}


MANIFEST = documents("capture-job.yaml")
JOB = MANIFEST["Job:capture"]
POD = JOB["spec"]["template"]["spec"]
CAPTURE, HOLD = POD["initContainers"][0], POD["containers"][0]


def test_who_captures_is_bound_to_our_roles() -> None:
    roles = documents("capture-clusterrole.yaml")
    account = MANIFEST["ServiceAccount:capture"]["metadata"]
    bindings = [each for each in MANIFEST.values() if each["kind"] == "ClusterRoleBinding"]

    assert POD["serviceAccountName"] == account["name"]
    assert [f"ClusterRole:{each['roleRef']['name']}" in roles for each in bindings] == [True, True]
    subject = {"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}
    assert [each["subjects"] for each in bindings] == [[subject], [subject]]


def test_it_is_no_part_of_the_mesh_and_has_no_rights_on_its_node() -> None:
    template = JOB["spec"]["template"]["metadata"]

    assert template["labels"]["sidecar.istio.io/inject"] == "false"
    assert template["annotations"]["linkerd.io/inject"] == "disabled"
    assert POD["securityContext"]["runAsNonRoot"]
    for container in (CAPTURE, HOLD):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    assert JOB["spec"]["backoffLimit"] == 0


def test_evidence_is_written_where_it_is_held() -> None:
    output = Path(CAPTURE["args"][CAPTURE["args"].index("-o") + 1])

    places = [{mount["mountPath"]: mount["name"] for mount in each["volumeMounts"]} for each in (CAPTURE, HOLD)]
    assert [each[str(output.parent)] for each in places] == ["evidence", "evidence"]
    assert {volume["name"] for volume in POD["volumes"]} == {*places[0].values(), *places[1].values()}
    assert f"cat {output}" in (DOCS / "capture-job.yaml").read_text(encoding="utf-8")


def test_its_command_captures_with_a_service_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    output = tmp_path / "incident.zip"
    arguments = [str(output) if each.startswith("/evidence/") else each for each in CAPTURE["args"]]
    with mesh(shop(1), monkeypatch):
        as_a_pod(monkeypatch, tmp_path)

        assert main(arguments) == 0

    assert verify(str(output)) == []
    assert said(open_bundle(str(output)), "envoy.config_dump", "shop/web-000") == ("captured", None)


def as_a_pod(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """What a kubelet gives a pod, in place of a kubeconfig."""
    config = yaml.safe_load(Path(kubeconfig()).read_text(encoding="utf-8"))
    cluster = config["clusters"][0]["cluster"]
    (folder / "token").write_text(config["users"][0]["user"]["token"], encoding="utf-8")
    (folder / "ca.crt").write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    place = "kubernetes.aio.config.incluster_config"
    monkeypatch.setattr(f"{place}.SERVICE_TOKEN_FILENAME", str(folder / "token"))
    monkeypatch.setattr(f"{place}.SERVICE_CERT_FILENAME", str(folder / "ca.crt"))
    server = urlsplit(cluster["server"])
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", str(server.hostname))
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
    monkeypatch.delenv("KUBECONFIG")


def test_its_image_is_made_of_what_is_in_a_checkout() -> None:
    lines = (DOCS / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    steps = [shlex.split(line) for line in lines if line and not line.startswith("#")]
    copied = [word for step in steps if step[0] == "COPY" and "--from=built" not in step for word in step[1:-1]]

    assert copied == ["requirements.txt", "dist/*.whl"]
    assert (ROOT / "requirements.txt").is_file()
    assert "dist/" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert ["USER", "65532:65532"] in steps
    assert steps[-1] == ["ENTRYPOINT", "[meshforensics]"]
    assert {CAPTURE["image"], HOLD["image"]} == {f"meshforensics:{__version__}"}
    assert f"-t meshforensics:{__version__} ." in (DOCS / "Containerfile").read_text(encoding="utf-8")
