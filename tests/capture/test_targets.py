"""Which pods have what, and how sick each looks."""

from typing import Any

import pytest

from meshforensics.capture._targets import targets
from meshforensics.formats.kubernetes import KubernetesObject, decode
from tests.replay.evidence import listed, pod


def objects(*bodies: dict[str, Any]) -> tuple[KubernetesObject, ...]:
    """Pods as a list gives them."""
    return decode(listed("Pod", *bodies))


def of(body: dict[str, Any]) -> Any:
    """The one target that a pod makes."""
    (target,) = targets(objects(body))
    return target


def with_status(**proxy: Any) -> dict[str, Any]:
    body = pod("web-1")
    body["status"]["containerStatuses"] = [{"name": "istio-proxy", "ready": True, "restartCount": 0, **proxy}]
    return body


@pytest.mark.parametrize(
    ("body", "sickness"),
    [
        pytest.param(with_status(), 2, id="well"),
        pytest.param(with_status(restartCount=1), 1, id="restarted"),
        pytest.param(with_status(ready=False), 0, id="proxy-not-ready"),
        pytest.param(
            {**pod("web-1"), "status": {"conditions": [{"type": "Ready", "status": "False"}]}}, 0, id="pod-not-ready"
        ),
    ],
)
def test_sickness(body: dict[str, Any], sickness: int) -> None:
    assert of(body).sickness == sickness


def test_a_native_sidecar_is_a_proxy_and_its_restarts_have_logs() -> None:
    body = pod("web-1")
    body["spec"] = {
        "containers": [{"name": "app"}],
        "initContainers": [{"name": "istio-proxy", "restartPolicy": "Always"}],
    }
    body["status"] = {"phase": "Running", "initContainerStatuses": [{"name": "istio-proxy", "restartCount": 2}]}

    target = of(body)

    assert "envoy.config_dump" in {page.kind for page in target.pages}
    assert [log.kind for log in target.logs] == ["log.istio-proxy.previous", "log.istio-proxy"]


def test_a_ztunnel_is_no_envoy_though_its_container_has_the_name() -> None:
    body = pod("ztunnel-1", "istio-system")
    body["metadata"]["labels"] = {"app": "ztunnel"}

    target = of(body)

    assert [page.kind for page in target.pages] == ["ztunnel.config_dump", "ztunnel.metrics"]
    assert {log.kind for log in target.logs} == {"log.ztunnel", "log.ztunnel.previous"}


def test_a_pod_that_has_ended_has_logs_and_no_pages() -> None:
    body = pod("job-1")
    body["status"]["phase"] = "Succeeded"

    assert (of(body).pages, [log.container for log in of(body).logs]) == ((), ["istio-proxy", "istio-proxy"])


@pytest.mark.parametrize(
    ("state", "logs"),
    [
        pytest.param({"terminated": {"exitCode": 0}}, set(), id="done"),
        pytest.param({"terminated": {"exitCode": 126}}, {"log.istio-validation"}, id="failed"),
        pytest.param({"waiting": {"reason": "CrashLoopBackOff"}}, {"log.istio-validation"}, id="loops"),
    ],
)
def test_the_log_of_a_container_that_cannot_prepare_its_pod(state: dict[str, Any], logs: set[str]) -> None:
    body = pod("web-1")
    body["spec"]["initContainers"] = [{"name": "istio-validation"}]
    body["status"]["initContainerStatuses"] = [{"name": "istio-validation", "restartCount": 0, "state": state}]

    assert {log.kind for log in of(body).logs if "istio-proxy" not in log.kind} == logs


@pytest.mark.parametrize("owner", ["ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Rollout", ""])
def test_a_pod_of_whatever_owner_is_visited(owner: str) -> None:
    body = pod("web-1")
    body["metadata"]["ownerReferences"] = [{"kind": owner, "name": "web"}] if owner else []

    assert "envoy.config_dump" in {page.kind for page in of(body).pages}


def test_a_pod_outside_the_mesh_is_left_alone() -> None:
    body = pod("db-1")
    body["spec"] = {"containers": [{"name": "app"}]}

    assert list(targets(objects(body))) == []


def test_a_linkerd_proxy_has_metrics_and_a_log() -> None:
    body = pod("web-1")
    body["spec"] = {"containers": [{"name": "linkerd-proxy"}]}

    assert ([page.kind for page in of(body).pages], [log.kind for log in of(body).logs]) == (
        ["linkerd.metrics"],
        ["log.linkerd-proxy.previous", "log.linkerd-proxy"],
    )
