import pytest

from meshforensics.importers._report_layout import age_of, inside, is_ztunnel, kind_of, known, should_hold, whole


@pytest.mark.parametrize(
    ("name", "kind", "subject"),
    [
        ("proxies/shop/web-1/config_dump?include_eds", "envoy.config_dump", "shop/web-1"),
        ("proxies/shop/web-1/stats/prometheus", "envoy.stats_prometheus", "shop/web-1"),
        ("proxies/shop/web-1/istio-proxy.log", "log.istio-proxy", "shop/web-1"),
        ("proxies/shop/web-1/netstat", "foreign.netstat", "shop/web-1"),
        ("proxies/istio-system/ztunnel-a/config_dump", "ztunnel.config_dump", "istio-system/ztunnel-a"),
        ("proxies/istio-system/ztunnel-a/istio-proxy.log", "log.ztunnel", "istio-system/ztunnel-a"),
        ("proxies/shop/web-1/cores/0.core", "foreign.cores-0-core", "shop/web-1"),
        ("istio/istio-system/istiod-7/discovery.log", "log.discovery", "istio-system/istiod-7"),
        ("istio/istio-system/istiod-7/metrics", "istiod.metrics", "istio-system/istiod-7"),
        ("istio/istio-system/istiod-7/debug/syncz", "istiod.syncz", "istio-system/istiod-7"),
        ("istio/istio-system/istiod-7/debug/krtz", "istiod.krtz", "istio-system/istiod-7"),
        ("istio/istio-system/istiod-7/debug/new-page", "foreign.debug-new-page", "istio-system/istiod-7"),
        ("operator/istio-operator/op-1/operator.log", "log.operator", "istio-operator/op-1"),
        ("cni/istio-cni-node-1/cni.log", "foreign.cni-log", "unknown/istio-cni-node-1"),
        ("cluster/k8s-resources", "foreign.k8s-resources", "-"),
        ("cluster/something-new", "foreign.something-new", "-"),
        ("analyze/allNamespaces/allNamespaces", "foreign.analyze", "-"),
        ("bug-report.log", "foreign.bug-report-log", "-"),
        ("versions", "foreign.versions", "-"),
        ("what/is this", "foreign.what-is-this", "-"),
        ("???", "foreign.unnamed", "-"),
    ],
)
def test_kind_of(name: str, kind: str, subject: str) -> None:
    assert kind_of(name) == (kind, subject)


@pytest.mark.parametrize(
    ("name", "is_inside", "is_known"),
    [
        ("proxies/shop/web-1/certs", True, True),
        ("proxies/shop/web-1/new", True, False),
        ("proxies/shop/web-1", False, False),
        ("cluster/events", True, True),
        ("cluster/apps/v1/deployments", False, False),
        ("versions", True, False),
        ("bug-report.log", True, True),
        ("istio/istio-system/istiod-7/debug/new", True, True),
        ("notes.txt", False, False),
    ],
)
def test_what_is_inside_a_report_and_what_only_reports_have(name: str, is_inside: bool, is_known: bool) -> None:
    assert (inside(name.split("/")), known(name)) == (is_inside, is_known)


@pytest.mark.parametrize(
    ("text", "age"),
    [
        pytest.param('CLI version:\nversion.BuildInfo{Version:"1.31.0"}\nVersion:"1.17.2"', (1, 31), id="the-tool"),
        pytest.param('BuildInfo{Version:"unknown", GolangVersion:"go1.21"}\nVersion:"1.20-dev"', (1, 20), id="istiod"),
        pytest.param('BuildInfo{Version:"unknown"}', None, id="nothing"),
    ],
)
def test_age_of(text: str, age: tuple[int, int] | None) -> None:
    assert age_of(text) == age


def test_members_belong_to_an_age() -> None:
    def holds(age: tuple[int, int] | None) -> bool:
        return ["cluster/k8s-cluster-resources"] in list(should_hold(age, [], []))

    assert {age: holds(age) for age in ((1, 29), (1, 30), None)} == {(1, 29): False, (1, 30): True, None: False}


def test_each_pod_has_its_members() -> None:
    said = list(should_hold(None, ["shop/web-1", "istio-system/ztunnel-a"], ["istio-system/istiod-7"]))

    assert ["proxies/shop/web-1/config_dump?include_eds", "proxies/shop/web-1/config_dump"] in said
    assert len([names for names in said if names[0].startswith("proxies/shop/web-1/")]) == 8
    assert [names[0] for names in said if "ztunnel" in names[0]] == [
        "proxies/istio-system/ztunnel-a/config_dump",
        "proxies/istio-system/ztunnel-a/istio-proxy.log",
    ]
    assert len([names for names in said if names[0].startswith("istio/")]) == 9


def test_a_sample_of_a_series_is_no_whole_report() -> None:
    assert not whole(["bug-report.log", "proxies/shop/web-1/memory", "cluster/top-pods"])
    assert whole(["versions"])
    assert whole(["istio/istio-system/istiod-7/metrics"])


def test_is_ztunnel() -> None:
    assert is_ztunnel("ztunnel-x2x4k")
    assert not is_ztunnel("web-1")
