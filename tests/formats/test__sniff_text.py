import pytest

from meshforensics.formats._sniff_text import error_text, kind_of_text


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        pytest.param(b"404 page not found\n", "404 page not found", id="go"),
        pytest.param(b"\n<!DOCTYPE html>\n<html>", "<!DOCTYPE html>", id="page"),
        pytest.param(b"Error from server (NotFound): x\n", "Error from server (NotFound): x", id="kubectl"),
        pytest.param(b"upstream connect error or disconnect", "upstream connect error or disconnect", id="envoy"),
        pytest.param(b"no such_list not found in config dump", "", id="words-between"),
        pytest.param(b"x_list not found in config dump", "x_list not found in config dump", id="envoy-resource"),
        pytest.param(b"invalid path. admin commands are:\n  /", "invalid path. admin commands are:", id="envoy-path"),
        pytest.param(b"No resources found\n", "", id="an-answer-and-no-error"),
        pytest.param(b'{"error": 1}', "", id="json"),
        pytest.param(b"Error [IST0101] (VirtualService a) x", "", id="analyze"),
        pytest.param(b"4041 items", "", id="a-number"),
        pytest.param(b"", "", id="nothing"),
    ],
)
def test_error_text(payload: bytes, said: str) -> None:
    assert error_text(payload) == said


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("envoy 5d25f466c3410c0dfa735d7d4358beb76b2da507/1.8.0/Clean/RELEASE live 10 10 0", "envoy.server_info"),
        ("Warning [IST0103] (Pod a.b) x", "foreign.analyze"),
        ("2026-11-23T12:00:00.1Z\tinfo\taccess\tconnection complete\tsrc.addr=1", "log.ztunnel"),
        ('[2026-11-23T12:00:00.1Z] "GET / HTTP/1.1" 200 - via_upstream', "log.istio-proxy"),
        ('2026-11-23T12:00:00.1Z [2026-11-23T12:00:00.1Z] "GET / HTTP/1.1" 200', "log.istio-proxy"),
        ("[2026-11-23 12:00:00.123][7][info][main] [source/server.cc:1] starting", "log.istio-proxy"),
        ("2026-11-23T12:00:00.1Z\twarning\tenvoy config\tgRPC config rejected", "log.istio-proxy"),
        ("2026-11-23T12:00:00.1Z\tinfo\tads\tPush debounce stable", "log.discovery"),
        ('# TYPE request_total counter\nrequest_total{direction="inbound"} 1\n', "linkerd.metrics"),
        ("# TYPE pilot_xds gauge\npilot_xds 1\n", "istiod.metrics"),
        ('# TYPE envoy_x counter\nenvoy_x{a="b c"} 18446744073709551615\nenvoy_y 1e+06 17\n', "envoy.stats_prometheus"),
        ("virtualInbound::0.0.0.0:15006\nv6::[::1]:80\n", "envoy.listeners"),
        ("a|b::default_priority::max_connections::1\na|b::[fd00::1]:80::cx_active::0\n", "envoy.clusters"),
        ('cluster.a.upstream_cx_total: 1\ncluster.a:b.x: "text"\nh.rq_time: P0(nan,1) P25(nan,2)\n', "envoy.stats"),
        ("POD   NAME   CPU(cores)   MEMORY(bytes)\n", "foreign.top-pods"),
        ("NAMESPACE   LAST SEEN   TYPE\n", "foreign.events"),
        ("NAMESPACE   NAME   TYPE   DATA   AGE\n", "foreign.secrets"),
        ("Name:   istiod-1\nNamespace:   istio-system\n", "foreign.describe-pods"),
        ("Name:   worker-1\nRoles:   <none>\n", "foreign.nodes"),
        ("CLI version:\nversion.BuildInfo{}\n", "foreign.versions"),
        ("Client Version: v1.27\n", "foreign.kubectl-version"),
        ("---\napiVersion: v1\nkind: Pod\n", "kubernetes.objects"),
        ("configs:\n- '@type': type.googleapis.com/envoy.admin.v3.X\n", "envoy.config_dump"),
        ("default:\n  eg:\n    x:\n    - '@type': type.googleapis.com/envoy.config.y\n", "envoy.config_dump"),
        ("controlPlane:\n  x: 1\nresources:\n- '@type': type.googleapis.com/envoy.service.status\n", ""),
        ("name: dataplane\nport: 80\nweight: 5\n", ""),
        ("dear diary\n", ""),
        ("", ""),
    ],
)
def test_kind_of_text(text: str, kind: str) -> None:
    assert kind_of_text(text) == kind
