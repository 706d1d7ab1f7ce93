"""Certificates and access."""

from meshforensics.recovery import Mesh
from tests.guide.settings import commands, manifests, parts, setting


def test_a_bypass_saves_before_it_changes() -> None:
    said = commands("access-bypass")

    saved = next(number for number, line in enumerate(said) if " get authorizationpolicies" in line)
    changed = next(number for number, line in enumerate(said) if "annotate" in line)
    assert saved < changed
    assert not any("--all" in line for line in said)


def test_the_overlay_is_for_the_service_s_workload() -> None:
    (policy,) = manifests("access-bypass")

    assert policy["metadata"]["namespace"] == "shop"
    assert policy["spec"]["selector"] == {"matchLabels": {"app": "cart"}}


def test_permissive_is_for_the_service_s_workload() -> None:
    (policy,) = manifests("permissive")

    assert policy["spec"] == {"selector": {"matchLabels": {"app": "cart"}}, "mtls": {"mode": "PERMISSIVE"}}


def test_the_right_key_of_the_right_secret_is_read_and_no_private_one() -> None:
    plugged = commands("root-ca", setting(mesh=Mesh(signer="cacerts")))
    own = commands("root-ca", setting(mesh=Mesh(signer="istio-ca-secret")))

    assert [line.split()[5] for line in plugged[:2]] == ["cacerts", "cacerts"]
    assert r"{.data.ca-cert\.pem}" in own[0]
    assert not any("key" in line.partition("|")[0] for line in (*plugged, *own))


def test_access_is_tried_from_the_application_not_from_the_proxy() -> None:
    tried = next(line for line in commands("access-test") if "curl" in line)

    assert tried.startswith("kubectl -n shop debug web-0")
    assert "istio-proxy" not in tried
    assert "http://cart.shop.svc.cluster.local:8080/" in tried


def test_what_was_invented_is_not_printed() -> None:
    said = " ".join(line for topic in ("certificate-rotation", "certificates") for line in commands(topic))

    assert not any(each in said for each in ("/certs/rotate", "ca/rotate", "expires_in"))
    assert parts("certificate-rotation")
