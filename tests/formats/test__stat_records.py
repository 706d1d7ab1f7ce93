"""What names and labels of stats tell, and numbers kept exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats._stat_records import LARGEST, Owner, exact, owner_of_labels, owner_of_name, real_of

HOST = "outbound|9080||reviews.default.svc.cluster.local"


@pytest.mark.parametrize(
    ("name", "cluster", "code"),
    [
        pytest.param(f"cluster.{HOST};.upstream_cx_total", HOST, None, id="istio-delimiter"),
        pytest.param(f"cluster.{HOST}.upstream_cx_total", HOST, None, id="without-delimiter"),
        pytest.param(f"cluster.{HOST}.upstream_rq_503", HOST, "503", id="code"),
        pytest.param(f"cluster.{HOST}.external.upstream_rq_5xx", HOST, "5xx", id="class-under-external"),
        pytest.param(f"cluster.{HOST}.circuit_breakers.high.rq_open", HOST, None, id="breaker"),
        pytest.param(f"cluster.{HOST}.ssl.fail_verify_san", HOST, None, id="tls"),
        pytest.param(f"cluster.{HOST}.ssl.versions.TLSv1.3", HOST, None, id="tls-version-with-a-dot"),
        pytest.param(f"cluster.{HOST}.ssl.ciphers.AES128-GCM", HOST, None, id="tls-cipher"),
        pytest.param("cluster.db.corp.internal.upstream_cx_total", "db.corp.internal", None, id="host-in-internal"),
        pytest.param("cluster.xds-grpc.version", "xds-grpc", None, id="one-word"),
        pytest.param("cluster.inbound|8080||;.version", "inbound|8080||", None, id="inbound"),
        pytest.param("cluster_manager.cds.version_text", None, None, id="no-cluster"),
        pytest.param("server.uptime", None, None, id="server"),
    ],
)
def test_the_cluster_and_code_in_a_name(name: str, cluster: str | None, code: str | None) -> None:
    owner = owner_of_name(name)

    assert (owner.cluster, owner.response_code) == (cluster, code)


@pytest.mark.parametrize(
    ("name", "listener"),
    [
        pytest.param("listener.0.0.0.0_15006.ssl.handshake", "0.0.0.0_15006", id="address"),
        pytest.param("listener.[__]_80.downstream_cx_active", "[__]_80", id="ipv6"),
        pytest.param("listener.admin.downstream_cx_active", "admin", id="admin"),
        pytest.param("http.inbound_0.0.0.0_9080;.downstream_rq_2xx", "inbound_0.0.0.0_9080", id="manager-delimited"),
        pytest.param("http.outbound_0.0.0.0_80.downstream_rq_total", "outbound_0.0.0.0_80", id="manager"),
        pytest.param("listener_manager.lds.update_rejected", None, id="none"),
    ],
)
def test_the_listener_in_a_name(name: str, listener: str | None) -> None:
    assert owner_of_name(name).listener == listener


@pytest.mark.parametrize(
    ("labels", "name", "owner"),
    [
        pytest.param(
            {"cluster_name": "outbound|80||x;", "response_code": "503"},
            "envoy_cluster_upstream_rq",
            Owner('{"cluster_name":"outbound|80||x;","response_code":"503"}', "outbound|80||x", None, "503"),
            id="istio-delimiter",
        ),
        pytest.param(
            {"envoy_cluster_name": "a", "envoy_response_code_class": "5"},
            "envoy_cluster_upstream_rq_xx",
            Owner('{"envoy_cluster_name":"a","envoy_response_code_class":"5"}', "a", None, "5xx"),
            id="envoy-tags",
        ),
        pytest.param(
            {"response_code": "", "listener_address": "0.0.0.0_80"},
            "envoy_listener_rq_404",
            Owner('{"listener_address":"0.0.0.0_80","response_code":""}', None, "0.0.0.0_80", "404"),
            id="the-code-stands-in-the-name",
        ),
        pytest.param(
            {"source_cluster": "Kubernetes", "destination_cluster": "Kubernetes", "response_code": "200"},
            "istio_requests_total",
            Owner(
                '{"destination_cluster":"Kubernetes","response_code":"200","source_cluster":"Kubernetes"}',
                None,
                None,
                "200",
            ),
            id="a-cluster-of-kubernetes-is-no-cluster-of-envoy",
        ),
    ],
)
def test_what_labels_tell(labels: dict[str, str], name: str, owner: Owner) -> None:
    assert owner_of_labels(labels, name) == owner


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("18446744073709551615", LARGEST, id="largest"),
        pytest.param("18446744073709551616", None, id="one-more"),
        pytest.param("9007199254740993", 2**53 + 1, id="no-float"),
        pytest.param("1e+06", 1_000_000, id="of-go"),
        pytest.param("1.8446744073709552e+19", None, id="a-float-that-lost-its-digits"),
        pytest.param("-1", None, id="negative"),
        pytest.param("0.5", None, id="fraction"),
        pytest.param("NaN", None, id="nan"),
        pytest.param("+Inf", None, id="infinite"),
        pytest.param("1_000", None, id="underscore"),
        pytest.param("٣", None, id="digit-of-another-script"),
    ],
)
def test_exact(text: str, number: int | None) -> None:
    assert exact(text) == number


@given(st.integers(min_value=0, max_value=LARGEST))
def test_every_64_bit_integer_is_exact(number: int) -> None:
    assert (exact(str(number)), real_of(str(number))) == (number, float(number))


@given(st.text())
def test_any_name_has_an_owner(name: str) -> None:
    assert owner_of_name(name).labels == owner_of_name("cluster." + name).labels == "{}"
