"""Roots are replaced with an overlap, told apart by serial."""

import pytest

from meshforensics.recovery import declared_steps
from tests.recovery.situations import EDGE, NEW, OLD, WEB, deed, lines, mesh, situation


def test_each_root_is_saved_from_a_proxy_that_trusts_it() -> None:
    said = lines(deed("save-roots").do)

    assert [line.rpartition(" > ")[2] for line in said[1:3]] == ["root-2d23a66a.pem", "root-5c443ed1.pem"]
    assert "secret cart-5d8f7c9b4-x2x4z -n shop -o json" in said[1]
    assert said[3].startswith("kubectl -n istio-system get secret cacerts -o yaml")


def test_both_roots_are_given_out() -> None:
    said = lines(deed("put-both-roots").do)

    assert said[0] == "cat root-2d23a66a.pem root-5c443ed1.pem > root-cert.pem"
    assert said[1] == "openssl verify -CAfile root-cert.pem ca-cert.pem"
    assert said[2].endswith("--dry-run=client -o yaml | kubectl apply -f -")
    assert lines(deed("put-both-roots").undo) == ["kubectl apply -f cacerts-backup.yaml"]
    assert {OLD[:8], NEW[:8]} == {"5c443ed1", "2d23a66a"}


def test_a_self_signed_ca_is_not_deleted() -> None:
    said = lines(deed("put-both-roots", mesh(signer="istio-ca-secret")).do)

    assert "Do not delete that Secret" in said[0]


@pytest.mark.parametrize("step", ["make-new-root", "switch-signer", "drop-old-root"])
def test_a_changed_secret_is_verified_before_it_is_applied(step: str) -> None:
    said = lines(deed(step).do)

    verify = said.index("openssl verify -CAfile root-cert.pem ca-cert.pem")
    assert "create secret generic cacerts" in said[verify + 1]


def test_the_gateway_certificate_is_saved_first() -> None:
    said = lines(deed("gateway-certificate", mesh(workloads=(EDGE,))).do)

    assert said[1].startswith("kubectl -n edge get secret SECRET -o yaml")
    assert said[2].startswith("kubectl -n edge create secret tls SECRET --cert=tls.crt --key=tls.key --dry-run=client")


def test_a_leaf_of_another_workload_is_no_gateways_certificate() -> None:
    assert declared_steps()["gateway-certificate"].make(situation(mesh(workloads=(WEB,)))) is None


def test_another_trust_domain_is_accepted_where_no_object_says_which_names_are() -> None:
    said = lines(deed("alias-trust-domain", mesh(objects=(), domains=("former.example",))).do)

    assert said[1].startswith("kubectl -n istio-system get configmap istio -o yaml")
    assert "trustDomainAliases with former.example;" in said[2]
    assert said[3] == "kubectl -n istio-system edit configmap istio"
    assert declared_steps()["alias-trust-domain"].make(situation()) is None
