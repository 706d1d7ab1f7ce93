"""What kubectl describe prints of pods and nodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.describe import Described, DescribedEvent, decode, time_of
from meshforensics.model import NotTheFormError

POD = b"""\
Name:             web-1
Namespace:        shop
Service Account:  web
Node:             worker-1/192.168.40.1
Start Time:       Mon, 23 Nov 2026 19:00:00 +0100
Labels:           app=web
                  pod-template-hash=5d9
Annotations:      sidecar.istio.io/status: {"revision":"default"}
Status:           Running
IP:               10.244.0.15
Controlled By:    ReplicaSet/web-5d9
Init Containers:
  istio-proxy:
    Image:          istio/proxyv2:1.31.0
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Message:      it said: no memory
      Exit Code:    137
      Started:      Mon, 23 Nov 2026 19:01:00 +0100
      Finished:     Mon, 23 Nov 2026 19:02:00 +0100
    Ready:          False
    Restart Count:  14
    Limits:
      memory:  128Mi
    Environment:
      STATE:  (v1:metadata.name)
Containers:
  web:
    Image:          shop/web:1
    State:          Running
      Started:      Mon, 23 Nov 2026 19:00:01 +0100
    Ready:          True
    Restart Count:  0
Conditions:
  Type              Status
  Initialized       True
  Ready             False
QoS Class:          Burstable
Events:
  Type     Reason   Age                From     Message
  ----     ------   ----               ----     -------
  Warning  BackOff  12s (x26 over 5m)  kubelet  Back-off restarting failed container
  Normal   Pulled   5m                 kubelet  Container image "a"  already present
"""


def _one(payload: bytes) -> Described:
    (made,) = decode(payload)
    return made


def test_pod() -> None:
    pod = _one(POD)

    assert (pod.kind, pod.name, pod.namespace, pod.pointer) == ("Pod", "web-1", "shop", "L1-L45")
    assert pod.labels == {"app": "web", "pod-template-hash": "5d9"}
    assert pod.annotations == {"sidecar.istio.io/status": '{"revision":"default"}'}
    assert pod.conditions == {"Initialized": "True", "Ready": "False"}


def test_containers() -> None:
    web, proxy = _one(POD).containers

    assert (web.name, web.role, web.state[""], web.last_state) == ("web", "app", "running", {})
    assert (proxy.name, proxy.role, proxy.pointer, proxy.limits) == (
        "istio-proxy",
        "init",
        "L13-L28",
        {"memory": "128Mi"},
    )
    assert proxy.state == {"": "waiting", "Reason": "CrashLoopBackOff"}
    assert proxy.last_state == {
        "": "terminated",
        "Reason": "OOMKilled",
        "Message": "it said: no memory",
        "Exit Code": "137",
        "Started": "Mon, 23 Nov 2026 19:01:00 +0100",
        "Finished": "Mon, 23 Nov 2026 19:02:00 +0100",
    }


def test_events() -> None:
    assert _one(POD).events == (
        DescribedEvent("Warning", "BackOff", 12, 300, 26, "kubelet", "Back-off restarting failed container", "L44"),
        DescribedEvent("Normal", "Pulled", 300, 300, 1, "kubelet", 'Container image "a"  already present', "L45"),
    )


def test_several_objects() -> None:
    made = decode(POD + b"\n\n" + POD.replace(b"web-1", b"web-2"))

    assert [(one.name, one.pointer) for one in made] == [("web-1", "L1-L45"), ("web-2", "L48-L92")]


def test_node() -> None:
    node = _one(
        b"Name:               worker-1\nConditions:\n  Ready   True\nSystem Info:\n  Kubelet Version:  v1.34.2\n"
    )

    assert (node.kind, node.conditions) == ("Node", {"Ready": "True"})
    assert node.sections["System Info"] == {"Kubelet Version": "v1.34.2"}


@pytest.mark.parametrize("payload", [b"", b"Error from server (NotFound): pods not found", b'{"kind": "Pod"}'])
def test_what_describes_nothing_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Tue, 05 Sep 2023 15:02:10 +0800", "2023-09-05T07:02:10Z"),
        ("<unset>", None),
        ("yesterday", None),
        (None, None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", None),
    ],
)
def test_time(text: str | None, at: str | None) -> None:
    assert time_of(text) == at


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    made = decode(b"Name:   a\n" + payload)

    assert made[0].name == "a"


@given(st.integers(0, len(POD)))
def test_a_cut_text_is_read_as_far_as_it_goes(cut: int) -> None:
    try:
        made = decode(POD[:cut])
    except NotTheFormError:
        assert cut < POD.index(b"web-1") + 1
        return
    assert len(made) == 1
