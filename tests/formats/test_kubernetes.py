"""Kubernetes objects in every wrapping that tools write them in."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.kubernetes import KubernetesObject, decode, object_id
from meshforensics.formats.place import excerpt
from meshforensics.model import NotTheFormError, TruncatedError

DATA = Path(__file__).parent.parent / "data" / "kubernetes"

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop"}}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1"}}
LIST = {"apiVersion": "v1", "kind": "List", "items": [POD, NODE]}


def _named(payload: bytes) -> list[tuple[str, str]]:
    return [(one.object, one.pointer) for one in decode(payload)]


def _yaml(value: object) -> bytes:
    return yaml.safe_dump(value).encode()


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        pytest.param(
            json.dumps(LIST).encode(), [("Pod:shop/web-1", "/items/0"), ("Node:worker-1", "/items/1")], id="list"
        ),
        pytest.param(_yaml(LIST), [("Pod:shop/web-1", "/items/0"), ("Node:worker-1", "/items/1")], id="yaml-list"),
        pytest.param(json.dumps(POD).encode(), [("Pod:shop/web-1", "")], id="one"),
        pytest.param(
            _yaml(POD) + b"---\n" + _yaml(NODE), [("Pod:shop/web-1", ""), ("Node:worker-1", "#doc2")], id="documents"
        ),
        pytest.param(
            b"---\n# nothing\n---\n" + _yaml(NODE), [("Node:worker-1", "#doc2")], id="an-empty-document-counts"
        ),
        pytest.param(
            json.dumps(POD).encode() + b"\n" + json.dumps(LIST).encode(),
            [("Pod:shop/web-1", ""), ("Pod:shop/web-1", "#doc2/items/0"), ("Node:worker-1", "#doc2/items/1")],
            id="json-after-json",
        ),
        pytest.param(
            json.dumps(POD).encode() + b"\n---\n" + json.dumps(NODE).encode(),
            [("Pod:shop/web-1", ""), ("Node:worker-1", "#doc2")],
            id="json-documents-with-marks",
        ),
        pytest.param(json.dumps([POD, NODE]).encode(), [("Pod:shop/web-1", "/0"), ("Node:worker-1", "/1")], id="array"),
        pytest.param(
            b'{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{"name":"a"}}]}',
            [("Pod:a", "/items/0")],
            id="kind-from-the-list",
        ),
        pytest.param(b'{"apiVersion":"v1","kind":"PodList","items":null}', [], id="null-items"),
        pytest.param(
            b'[{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{"name":"a"}}]}]',
            [("Pod:a", "/0/items/0")],
            id="a-list-in-a-list",
        ),
        pytest.param(b'{"apiVersion":"v1","kind":"PodList","metadata":{},"items":[]}', [], id="empty-list"),
        pytest.param(b"[]", [], id="empty-array"),
        pytest.param(b"\xef\xbb\xbf" + _yaml(NODE), [("Node:worker-1", "")], id="byte-order-mark"),
        pytest.param(b"{kind: Node, metadata: {name: a}}", [("Node:a", "")], id="yaml-that-begins-like-json"),
    ],
)
def test_shapes(payload: bytes, named: list[tuple[str, str]]) -> None:
    assert _named(payload) == named


def test_shared_fields() -> None:
    (one,) = decode(
        b"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: web
  namespace: shop
  creationTimestamp: 2026-11-20T15:47:28Z
  deletionTimestamp: 2026-11-23T15:47:28Z
  labels: {app: web, on: on, "n": 010}
  ownerReferences:
  - {kind: Rollout, name: first}
  - {kind: Gateway, name: second, controller: true}
  managedFields:
  - {manager: helm, time: 2026-11-20T15:47:28Z, fieldsV1: {"f:spec": {}}}
  - {manager: kubectl-edit, time: 2026-11-23T18:40:00Z, fieldsV1: {"f:spec": {}}}
  - {manager: pilot-discovery, time: 2026-11-23T18:50:00Z, subresource: status}
  - {manager: old-istiod, time: 2026-11-23T18:51:00Z, fieldsV1: {"f:status": {}}}
"""
    )

    assert (one.group, one.created_at, one.deleted_at, one.owner, one.changed) == (
        "networking.istio.io",
        "2026-11-20T15:47:28Z",
        "2026-11-23T15:47:28Z",
        ("Gateway", "second"),
        ("2026-11-23T18:40:00Z", "kubectl-edit"),
    )
    assert one.labels == {"app": "web", "on": True, "n": 8}


def test_an_object_without_anything_says_nothing() -> None:
    (one,) = decode(b'{"kind":"Node","metadata":{"labels":7,"ownerReferences":[3]},"spec":[]}')

    assert one == KubernetesObject("Node", "", None, "", "", one.body)
    assert (one.labels, one.spec, one.owner, one.created_at, one.changed) == ({}, {}, None, None, (None, None))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b'{"kind":"List","items":[{"kind":"Po', id="json"),
        pytest.param(b"apiVersion: v1\nitems:\n- kind: Pod\n  metadata:\n    name: a\n", id="yaml-before-its-kind"),
        pytest.param(b'kind: Node\nmetadata:\n  name: "wor', id="yaml-in-a-quote"),
        pytest.param(b"kind: Node\nmetadata: {name: a", id="yaml-in-a-bracket"),
        pytest.param(b"kind: Node\nmetadata:\n  name: a\nstat", id="yaml-in-a-key"),
    ],
)
def test_a_cut_document_is_truncated(payload: bytes) -> None:
    with pytest.raises(TruncatedError):
        decode(payload)


def _bomb() -> bytes:
    lines = ["a0: &a0 [" + ",".join(["lol"] * 9) + "]"]
    lines += [f"a{n}: &a{n} [" + ",".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 12)]
    return "\n".join(lines).encode()


def _merge_bomb() -> bytes:
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], k{n}: v}}" for n in range(1, 60)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        pytest.param(b"", "empty, where Kubernetes objects were expected", id="empty"),
        pytest.param(b"# only\n# comments\n", "not Kubernetes objects: nothing but comments", id="comments"),
        pytest.param(
            b"upstream connect error",
            "not Kubernetes objects: a text that begins 'upstream connect error'",
            id="error-text",
        ),
        pytest.param(
            b'Error from server (NotFound): pods "a" not found',
            "not Kubernetes objects: the document has no kind; it holds Error from server (NotFound)",
            id="kubectl-error",
        ),
        pytest.param(
            b'["secrets \\"a\\" not found"]',
            "not Kubernetes objects: /0 is a text that begins 'secrets \"a\" not found'",
            id="error-list",
        ),
        pytest.param(b"{{ .Values.x }}: 1", None, id="template"),
        pytest.param(b"kind: Node\nmetadata: !!python/object/apply:os.system [id]", None, id="python-tag"),
        pytest.param(b"kind: Node\nmetadata: *nothing", None, id="unknown-alias"),
        pytest.param(b"kind: &a [*a]", None, id="alias-of-itself"),
        pytest.param(b"kind: Node\nx: " + b"[" * 100_000, None, id="deep-yaml"),
        pytest.param(b"[" * 100_000, None, id="deep-json"),
        pytest.param(_bomb(), "YAML whose aliases would unfold to more than 50 MB", id="bomb"),
        pytest.param(_merge_bomb(), "YAML whose aliases would unfold to more than 50 MB", id="merge-bomb"),
        pytest.param("kind: Nöde".encode("latin-1"), None, id="latin-1"),
    ],
)
def test_what_is_not_the_form_is_refused(payload: bytes, sentence: str | None) -> None:
    with pytest.raises(NotTheFormError) as refused:
        decode(payload)

    assert sentence is None or str(refused.value) == sentence


def test_aliases_and_merges_are_followed() -> None:
    (one,) = decode(b"kind: Node\nx: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: *x\n")

    assert (one.body["y"], one.body["z"]) == ({"a": 1, "b": 3}, {"a": 1, "b": 2})


def test_a_place_leads_to_its_object() -> None:
    payload = (DATA / "k8s-resources").read_bytes()
    found = [one for one in decode(payload) if one.kind == "Service"]

    assert [excerpt(payload, f"{one.pointer}/metadata/name").marked for one in found] == [one.name for one in found]


def test_a_real_list() -> None:
    made = decode((DATA / "k8s-resources").read_bytes())
    kinds = [one.kind for one in made]

    assert {kind: kinds.count(kind) for kind in kinds} == {
        "Pod": 8,
        "Deployment": 8,
        "Service": 6,
        "EndpointSlice": 6,
        "ConfigMap": 3,
    }


def test_configz_is_a_bare_array() -> None:
    made = decode((DATA / "configz").read_bytes())

    assert made[0].object == "PeerAuthentication:istio-system/default"


def test_names() -> None:
    assert object_id("Pod", None, "a") == "Pod:a"


@given(st.binary(max_size=300))
def test_any_bytes_are_objects_or_refused(payload: bytes) -> None:
    try:
        made = decode(payload)
    except NotTheFormError:
        return
    assert all(one.kind for one in made)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(st.characters(codec="utf-8", min_codepoint=32, max_codepoint=0x2000, exclude_characters="\x7f\x85")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(codec="ascii", min_codepoint=97, max_codepoint=122), min_size=1), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(_VALUES, st.booleans())
def test_yaml_says_what_json_says(value: object, flow: bool) -> None:
    body = {"kind": "Thing", "spec": value}

    (from_yaml,) = decode(yaml.safe_dump(body, allow_unicode=True, default_flow_style=flow).encode())
    (from_json,) = decode(json.dumps(body).encode())

    assert from_yaml == from_json


@given(st.integers(0, 44_000))
def test_a_list_cut_anywhere_never_passes_for_whole(cut: int) -> None:
    payload = (DATA / "k8s-resources").read_bytes()
    end = payload.rfind(b"kind: List")

    with pytest.raises(NotTheFormError):
        decode(payload[: min(cut, end)])
