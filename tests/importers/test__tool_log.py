from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from meshforensics.importers._tool_log import ToolLog, read_tool_log

OURS = b"""2026-11-23T18:48:12.021305Z\tinfo\tRunning
2026-11-23T18:48:12.031746Z\tinfo\tproxy shop/web-1 GET config_dump?include_eds: 144466 bytes in 0.010s
2026-11-23T18:48:12.172717Z\tinfo\tDone
"""
REAL = b"""2023-09-06T09:16:04.714200Z\tinfo\t
Target cluster context: one13900

2023-09-06T09:16:04.719277Z\tinfo\t
Cluster endpoint: https://10.64.30.126:6443

2023-09-06T09:16:04.798846Z\tinfo\tGetting logs for kube-system/istio-cni-node-9dk77/...
2023-09-06T09:16:05.616670Z\tinfo\tCOMPLETED PodLogs default/details-v1/istio-proxy
2023-09-06T09:16:13.374955Z\tinfo\tCOMPLETED ProxyGet bookinfo/httpbin:config_dump?include_eds
2023-09-06T09:16:26.156355Z\tinfo\tCOMPLETED PodExec istio-system/istiod-5/discovery:pilot-discovery request GET debug/syncz
2023-09-06T09:16:26.395525Z\tinfo\tDone writing file for path /var/T/bug-report/bug-report/istio/istio-system/istiod-5/debug/syncz\truntime=179.625\xc2\xb5s
2023-09-06T09:16:26.5489
"""  # noqa: E501


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_log_of_the_examples() -> None:
    said = read_tool_log(OURS)

    assert said.end == (_at("2026-11-23T18:48:12.172717"), "bug-report.log")
    assert {key: value.at for key, value in said.fetched.items()} == {
        ("shop/web-1", "config_dump?include_eds"): _at("2026-11-23T18:48:12.031746")
    }


def test_a_log_of_the_tool() -> None:
    said = read_tool_log(REAL)

    assert said.end.at == _at("2023-09-06T09:16:26.395525")  # the last line is cut
    assert {key: value.at for key, value in said.fetched.items()} == {
        ("default/details-v1", "istio-proxy.log"): _at("2023-09-06T09:16:05.616670"),
        ("bookinfo/httpbin", "config_dump?include_eds"): _at("2023-09-06T09:16:13.374955"),
        ("istio-system/istiod-5", "debug/syncz"): _at("2023-09-06T09:16:26.156355"),
    }
    assert said.written == {"istio/istio-system/istiod-5/debug/syncz"}
    assert said.namespaces == {"istio-cni-node-9dk77": "kube-system"}
    assert (said.context, said.server) == ("one13900", "https://10.64.30.126:6443")


def test_real_logs(corpus: Path) -> None:
    said = {
        age: read_tool_log((corpus / f"bugreport/istio_{age}/bug-report/bug-report.log").read_bytes())
        for age in ("2023-05", "2023-09")
    }

    assert {age: (str(log.end.at), len(log.fetched), len(log.written)) for age, log in said.items()} == {
        "2023-05": ("2023-05-12 18:47:31.135151+00:00", 8 + 2 + 18, 0),
        "2023-09": ("2023-09-06 09:16:26.548988+00:00", 136 + 18 + 18, 202),
    }


@given(st.binary(max_size=400))
def test_any_bytes_are_a_log_that_may_say_nothing(log: bytes) -> None:
    assert isinstance(read_tool_log(OURS + log), ToolLog)
    assert read_tool_log(b"") == ToolLog()
