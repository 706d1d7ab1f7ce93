"""The API as any client sees it: lists, paging, selectors, tables, refusals."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from meshforensics.bundle import BundleWriter
from meshforensics.replay import replay
from tests.replay.evidence import AT, BEFORE, LOG, Client, listed, pod, write

PODS = "/api/v1/pods"
SHOP = "/api/v1/namespaces/shop/pods"
ALL = ["web-0", "web-1", "web-2", "web-3", "web-4"]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of a replay of the small bundle."""
    with replay(write()) as served:
        yield Client(served)


def test_a_list_holds_every_object_as_captured_and_a_pod_whose_object_was_not(client: Client) -> None:
    items = client.ask(PODS).json["items"]

    assert [each["metadata"]["name"] for each in items] == ["db-0", "istiod-1", *ALL]
    assert {**pod("web-0"), "kind": "Pod", "apiVersion": "v1"} in items
    stand_in = next(each for each in items if each["metadata"]["name"] == "istiod-1")
    assert stand_in["metadata"]["annotations"] == {
        "meshforensics.dev/stand-in": "no Pod object was captured; this one stands for the pages and logs of the pod"
    }


def test_a_namespace_and_a_single_object(client: Client) -> None:
    assert client.names(SHOP) == ALL
    assert client.ask(f"{SHOP}/web-3").json["metadata"]["name"] == "web-3"
    assert client.names("/api/v1/namespaces/nowhere/pods") == []


def test_paging_gives_every_object_once(client: Client) -> None:
    names: list[str] = []
    token = ""
    pages = 0
    while pages == 0 or token:
        page = client.ask(f"{SHOP}?limit=2&continue={token}").json
        names += [each["metadata"]["name"] for each in page["items"]]
        token = page["metadata"].get("continue", "")
        pages += 1

    assert (names, pages) == (ALL, 3)


@pytest.mark.parametrize("token", ["nonsense", "WzMsIjEiXQ=="])
def test_a_token_of_another_list_is_expired(client: Client, token: str) -> None:
    said = client.ask(f"{SHOP}?limit=2&continue={token}")

    assert (said.code, said.json["reason"]) == (410, "Expired")


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        pytest.param("labelSelector=app=db", ["db-0"], id="equal"),
        pytest.param("labelSelector=app in (db, istiod)", ["db-0", "istiod-1"], id="in"),
        pytest.param("labelSelector=app!=web,app!=db", ["istiod-1"], id="not-equal"),
        pytest.param("labelSelector=!app", [], id="not-there"),
        pytest.param("labelSelector=app notin (web,istiod)", ["db-0"], id="notin"),
        pytest.param("fieldSelector=metadata.name=web-2", ["web-2"], id="name"),
        pytest.param("fieldSelector=metadata.namespace!=shop,spec.nodeName==worker-1", ["db-0"], id="two-fields"),
    ],
)
def test_selectors(client: Client, selector: str, names: list[str]) -> None:
    name, _, value = selector.partition("=")

    assert client.names(f"{PODS}?{name}={quote(value)}") == names


def test_a_label_that_is_no_text_is_like_none() -> None:
    with BundleWriter("memory://tests-api/labels", mesh="lab", layout="test") as writer:
        odd = {"metadata": {"name": "x", "namespace": "shop", "labels": {"app": ["db"]}}, "spec": [1], "status": "x"}
        writer.add("kubernetes.pods", "-", listed("Pod", odd), captured_at=AT, time_source="Date")
        bundle = writer.seal()

    with replay(bundle) as served:
        client = Client(served)
        assert client.names(f"{PODS}?labelSelector={quote('app in (db)')}") == []
        assert client.names(f"{PODS}?labelSelector={quote('app!=db')}") == ["x"]


def test_a_selector_that_is_none_is_refused(client: Client) -> None:
    assert client.ask(f"{PODS}?labelSelector={quote('a=b=c')}").json["reason"] == "BadRequest"


def test_a_table_has_what_kubectl_prints_with_ages_as_of_the_capture(client: Client) -> None:
    table = client.ask(f"{SHOP}/web-0", accept="application/json;as=Table;v=v1;g=meta.k8s.io").json

    assert table["kind"] == "Table"
    assert table["rows"][0]["cells"] == ["web-0", "2/2", "Running", "3", "90m", "<none>", "worker-1"]
    assert table["rows"][0]["object"]["metadata"]["namespace"] == "shop"


def test_what_was_captured_empty_is_an_empty_list_and_what_was_not_is_named(client: Client) -> None:
    assert client.ask("/api/v1/services").json["items"] == []

    missing = client.ask("/apis/networking.istio.io/v1/virtualservices")
    refused = client.ask("/api/v1/namespaces/shop/secrets")
    assert (missing.code, missing.json["message"]) == (
        404,
        "kubernetes.virtualservices.networking.istio.io is not in this bundle: it was not captured",
    )
    assert (refused.code, refused.json["message"]) == (
        403,
        "kubernetes.secrets is not in this bundle (failed, forbidden): 403",
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(client: Client, method: str) -> None:
    said = client.ask(f"{SHOP}/web-0", method, body=b"{}")

    assert (said.code, said.json["kind"], said.json["reason"]) == (405, "Status", "MethodNotAllowed")


def test_a_wrong_token_is_refused(client: Client) -> None:
    said = client.ask(PODS, token="wrong")

    assert (said.code, said.json["reason"]) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ({"verb": "list", "resource": "pods"}, True),
        ({"verb": "create", "resource": "pods", "subresource": "portforward"}, True),
        ({"verb": "delete", "resource": "pods"}, False),
    ],
)
def test_an_access_review_says_that_reading_is_allowed(client: Client, asked: dict[str, str], allowed: bool) -> None:
    body = json.dumps({"spec": {"resourceAttributes": asked}}).encode()

    said = client.ask("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "POST", body=body)

    assert (said.code, said.json["status"]["allowed"]) == (201, allowed)


def test_a_review_that_is_none_is_refused(client: Client) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

    assert client.ask(path, "POST", body=b"{").code == 400
    assert client.ask(path, "POST", body=b"x", sent="application/vnd.kubernetes.protobuf").code == 400
    assert client.ask(path, "POST", body=b"x", sent="application/yaml").json["reason"] == "UnsupportedMediaType"
    assert client.ask("/apis/authorization.k8s.io/v1/subjectaccessreviews", "POST", body=b"{}").code == 405


def test_discovery_names_what_was_captured_and_what_could_have_been(client: Client) -> None:
    core = {each["name"] for each in client.ask("/api/v1").json["resources"]}
    groups = {each["name"]: each["preferredVersion"]["version"] for each in client.ask("/apis").json["groups"]}

    assert {"pods", "pods/exec", "pods/log", "pods/portforward", "services", "secrets"} <= core
    assert groups["networking.istio.io"] == groups["security.istio.io"] == "v1"
    assert client.ask("/apis/nobody.example").code == 404


def test_a_watch_after_a_list_ends_at_once(client: Client) -> None:
    version = client.ask(SHOP).json["metadata"]["resourceVersion"]

    assert client.ask(f"{SHOP}?watch=true&resourceVersion={version}").body == b""
    assert client.ask(f"{SHOP}?watch=true").body.count(b'"ADDED"') == len(ALL)


def test_the_clock_is_the_bundle_s(client: Client) -> None:
    assert client.ask("/version").date == "Mon, 23 Nov 2026 18:48:12 GMT"


def test_an_earlier_instant_shows_what_was_captured_then() -> None:
    with replay(write(), at=BEFORE) as served:
        client = Client(served)

        assert client.names(PODS) == ["web-9"]
        assert client.ask(f"{SHOP}/web-9/log?container=istio-proxy").code == 404
        said = client.ask("/api/v1/services").json["message"]
    assert said == "kubernetes.services was captured later, at 2026-11-23T18:48:12Z; this is 2026-11-23T18:40:00Z"


@pytest.mark.parametrize(
    ("query", "body"),
    [
        pytest.param("container=istio-proxy", LOG, id="whole"),
        pytest.param("container=istio-proxy&tailLines=1", b"last\n", id="tail"),
        pytest.param("container=istio-proxy&tailLines=2&limitBytes=3", b"[20", id="bytes"),
        pytest.param("container=istio-proxy&sinceSeconds=60", LOG[LOG.index(b"[") :], id="seconds-before-the-instant"),
        pytest.param(
            "container=istio-proxy&sinceTime=2026-11-23T18:46:00Z", LOG, id="since-time-of-a-line-is-that-line-too"
        ),
        pytest.param("container=istio-proxy&previous=true", b"before the crash\n", id="previous"),
    ],
)
def test_logs(client: Client, query: str, body: bytes) -> None:
    assert client.ask(f"{SHOP}/web-0/log?{query}").body == body


def test_logs_that_cannot_be_given_say_why(client: Client) -> None:
    app = client.ask(f"{SHOP}/web-0/log?container=app")
    which = client.ask(f"{SHOP}/web-0/log")
    timeless = client.ask("/api/v1/namespaces/istio-system/pods/istiod-1/log?sinceSeconds=1")
    nobody = client.ask(f"{SHOP}/nobody/log")

    assert (app.code, app.json["message"]) == (404, "log.app of shop/web-0 is not in this bundle: it was not captured")
    assert (which.code, timeless.code, nobody.code) == (400, 400, 404)


def test_exec_and_port_forward_need_an_upgrade(client: Client) -> None:
    assert client.ask(f"{SHOP}/web-0/exec?command=ls").code == 400
    assert client.ask(f"{SHOP}/web-0/portforward?ports=15000", "POST", body=b"{}").code == 400
    spdy = client.ask(f"{SHOP}/web-0/portforward", "POST", body=b"{}", upgrade="SPDY/3.1")
    assert (spdy.code, spdy.json["message"]) == (400, "replay speaks portforward.k8s.io here; offered were none")


def test_a_replay_gives_back_its_port_and_its_files() -> None:
    with replay(write()) as served:
        assert served.at == AT
        assert served.kubeconfig.stat().st_mode & 0o077 == 0
        assert [path.name for path in served.kubeconfig.parent.iterdir()] == ["kubeconfig"]
        port = served.port

    assert not served.kubeconfig.parent.exists()
    with replay(write(), port=port):
        pass
