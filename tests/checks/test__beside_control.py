"""What tells of errors between proxies and the control plane."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks._beside import NOTHING
from tests.checks.signature_lines import FAR, LATE, NOON, counts, frame, lines_of, own, said_of

MINUTE = pd.Timedelta(minutes=1)
HOOK = "rev.namespace.sidecar-injector.istio.io"
LABELS = {"istiod": '{"app":"istiod"}', "destination": '{"linkerd.io/control-plane-component":"destination"}'}


def _refused(*current: bool | None, pod: str = "web-1") -> dict[str, pd.DataFrame]:
    count = len(current)
    return {
        "rejections": frame(
            "rejections",
            namespace=["shop"] * count,
            pod=[pod] * count,
            resource_name=["0.0.0.0_80"] * count,
            current=list(current),
        )
    }


def _sync(status: str, pod: str = "web-1", istiod: str = "istio-system/istiod-1") -> dict[str, pd.DataFrame]:
    return {
        "xds_sync": frame(
            "xds_sync", namespace=["shop"], pod=[pod], type=["cds"], status=[status], istiod=[istiod]
        )
    }  # fmt: skip


def _control_plane(container: str, app: str, **columns: list[Any]) -> dict[str, pd.DataFrame]:
    place = {"namespace": ["istio-system"], "pod": [f"{app}-1"]}
    return {
        "containers": frame("containers", **place, container=[container], role=["app"], **columns),
        "pods": frame("pods", **place, labels=[LABELS[app]]),
    }


def _leaf(not_after: pd.Timestamp, not_before: pd.Timestamp = LATE) -> dict[str, pd.DataFrame]:
    return {"certificates": own("certificates", role=["leaf"], not_before=[not_before], not_after=[not_after])}


def _hook(endpoints: bool = True, ca_bundle: bool = True) -> dict[str, pd.DataFrame]:
    return {
        "webhooks": frame(
            "webhooks",
            name=[HOOK],
            object=["MutatingWebhookConfiguration:istio"],
            ca_bundle=[ca_bundle],
            service=["istio-system/istiod:443"],
            failure_policy=["Fail"],
        ),
        "services": frame("services", namespace=["istio-system"], name=["istiod"]),
        "service_endpoints": frame(
            "service_endpoints",
            namespace=["istio-system"],
            service=["istiod"],
            ready=[endpoints],
            item=["kubernetes.endpointslices.discovery.k8s.io:-@noon"],
        ),
    }


def _sizes(large: int) -> dict[str, pd.DataFrame]:
    names = ["pilot_xds_config_size_bytes"] * 2
    return {"istiod_counts": own("istiod_counts", name=names, le=[4e6, 1e7], rose=[10, 10 + large])}


def _gateway(there: bool) -> dict[str, pd.DataFrame]:
    return {
        "gateway_servers": frame("gateway_servers", namespace=["edge"], object=["Gateway:edge/web"], port=[443],
                                 group=["networking.istio.io"], selector=['{"app":"gw"}'], credentials=[("cert",)]),
        "pods": frame("pods", namespace=["edge"], pod=["gw-1"], labels=['{"app":"gw"}']),
        "cluster_secrets": frame("cluster_secrets", namespace=["edge"], name=["cert" if there else "other"],
                                 object=["Secret:edge/one"]),
    }  # fmt: skip


def _cacerts(keys: int) -> dict[str, pd.DataFrame]:
    return {
        "cluster_secrets": frame(
            "cluster_secrets", name=["cacerts"], object=["Secret:istio-system/cacerts"], keys=[keys]
        )
    }


def _config(kind: str, spec: str = "{}") -> dict[str, pd.DataFrame]:
    return {"config": frame("config", kind=[kind], object=[f"{kind}:shop/one"], spec=[spec])}


@pytest.mark.parametrize(
    ("family", "frames", "said"),
    [
        pytest.param(
            "config-rejected",
            _refused(True, False),
            "confirmed: 1 rejection stands, among 2 of 0.0.0.0_80",
            id="rejected",
        ),
        pytest.param(
            "config-rejected",
            _refused(False, None),
            "2 rejections of 0.0.0.0_80 are told, and not whether they",
            id="whether-it-stands-is-not-told",
        ),
        pytest.param(
            "config-rejected",
            _refused(False),
            "over as of the capture: what was sent after 1 rejection",
            id="accepted-since",
        ),
        pytest.param("config-rejected", _refused(True, pod="web-2"), NOTHING, id="rejected-by-another"),
        pytest.param(
            "config-rejected",
            {"stats": counts("cluster_manager.cds.update_rejected", 3)},
            "confirmed: `update_rejected` is 3",
            id="rejections-are-counted",
        ),
        pytest.param(
            "config-not-received", _sync("NOT SENT"), "confirmed: istiod has sent shop/web-1 no cds", id="unsent"
        ),
        pytest.param("config-not-received", _sync("SYNCED"), "over as of the capture: istiod has sent", id="sent"),
        pytest.param("config-not-received", _sync("NOT SENT", pod="web-2"), NOTHING, id="unsent-to-another"),
        pytest.param(
            "envoyfilter", _config("EnvoyFilter"), "it is one of 1 EnvoyFilter: EnvoyFilter:shop/one", id="filter"
        ),
        pytest.param("envoyfilter", _config("Gateway"), NOTHING, id="no-filter"),
        pytest.param(
            "signing", _leaf(LATE), "confirmed: the leaf of 1 of 1 proxy that logged it has ended", id="ended"
        ),
        pytest.param("signing", _leaf(FAR), "the leaf in use has not ended as of the capture", id="not-ended"),
        pytest.param("signing", _leaf(FAR, NOON), "over as of the capture: a leaf was issued since", id="issued-since"),
        pytest.param(
            "signing",
            {"ztunnel_identities": own("ztunnel_identities", identity=["spiffe://a"], state=["Unavailable"])},
            "confirmed: spiffe://a has no certificate",
            id="of-a-ztunnel",
        ),
        pytest.param("config-too-large", _sizes(2), "confirmed: 2 pushes of more than 4 MB", id="large"),
        pytest.param("config-too-large", _sizes(0), "refuted: istiod has pushed nothing of more than 4 MB", id="small"),
        pytest.param(
            "root-changed",
            {"trust": frame("trust", root=["a", "b"])},
            "confirmed: 2 roots, by key, are held among the proxies",
            id="two-roots",
        ),
        pytest.param(
            "root-refused",
            {"trust": frame("trust", root=["a", "a"])},
            "as of the capture all proxies hold one root, by key",
            id="one-root",
        ),
        pytest.param(
            "ca-incomplete", _cacerts(3), "confirmed: Secret:istio-system/cacerts holds 3 keys, of 4", id="lacks"
        ),
        pytest.param(
            "ca-incomplete", _cacerts(4), "over as of the capture: Secret:istio-system/cacerts holds 4", id="whole"
        ),
        pytest.param("ca-incomplete", _cacerts(0), NOTHING, id="its-keys-were-not-told"),
        pytest.param(
            "ca-rotation-failed",
            {"trust": frame("trust", serial=["a"], not_after=[FAR])},
            "root a, which proxies trust, ends at 2026-01-02T12:00:00Z",
            id="the-root-ends",
        ),
        pytest.param(
            "xds-stream-lost",
            {"stats": counts("control_plane.connected_state", 0)},
            "confirmed: 1 of 1 proxy that logged it had no stream",
            id="no-stream",
        ),
        pytest.param(
            "xds-stream-closed",
            {"stats": counts("envoy_control_plane_connected_state", 1)},
            "over as of the capture: the proxy has its stream",
            id="a-stream",
        ),
        pytest.param(
            "xds-stream-lost",
            {"xds_connections": own("xds_connections", istiod=["a"])},
            "over as of the capture: istiod has a stream of 1 of 1 proxy",
            id="a-stream-by-istiod",
        ),
        pytest.param(
            "xds-stream-lost",
            {"xds_connections": frame("xds_connections", namespace=["x"], pod=["y"])},
            NOTHING,
            id="a-stream-of-another",
        ),
        pytest.param(
            "istiod-unreachable",
            {"stats": counts("istio_agent_istiod_connection_failures", 4)},
            "confirmed: `istiod_connection_failures` is 4",
            id="counted-by-the-agent",
        ),
        pytest.param(
            "istiod-starting",
            _control_plane("discovery", "istiod", started_at=[NOON - 5 * MINUTE]),
            "confirmed: istio-system/istiod-1 started at 2026-01-01T11:55:00Z",
            id="started",
        ),
        pytest.param(
            "istiod-starting",
            _control_plane("discovery", "istiod", started_at=[LATE]),
            "no istiod started in the window; the youngest did at 2025-12-31T12:00:00Z",
            id="started-long-ago",
        ),
        pytest.param(
            "xds-rate-limited",
            {"xds_connections": own("xds_connections", istiod=["a"])},
            "1 stream is open to 1 istiod as of the capture",
            id="streams",
        ),
        pytest.param(
            "gateway-credential",
            _gateway(False),
            "confirmed: Gateway:edge/web names Secret cert, which is not in edge",
            id="no-such-secret",
        ),
        pytest.param(
            "gateway-credential",
            _gateway(True),
            "as of the capture every Secret that a Gateway names is there",
            id="the-secret-is-there",
        ),
        pytest.param(
            "waypoint-missing",
            _config("Gateway", '{"gatewayClassName":"istio"}'),
            "confirmed: none of 1 Gateway is a waypoint",
            id="no-waypoint",
        ),
        pytest.param(
            "waypoint-missing",
            _config("Gateway", '{"gatewayClassName":"istio-waypoint"}'),
            "1 waypoint is there as of the capture",
            id="a-waypoint",
        ),
        pytest.param("waypoint-missing", _config("VirtualService"), NOTHING, id="no-gateways-captured"),
        pytest.param(
            "hbone-peer",
            {"proxies": frame("proxies", pod=["z-1", "z-2"], role=["ztunnel"] * 2, version=["1.24", "1.26"])},
            "ztunnels are of 2 versions: 1.24, 1.26",
            id="versions",
        ),
        pytest.param(
            "discovery-rejected",
            _control_plane("destination", "destination", ready=[False]),
            "confirmed: 1 of 1 container of linkerd-destination not ready",
            id="destination-is-down",
        ),
        pytest.param(
            "discovery-rejected",
            _control_plane("destination", "destination", ready=[True]),
            "as of the capture the only container of linkerd-destination is ready",
            id="destination-is-up",
        ),
        pytest.param(
            "jwks-fetch",
            {"stats": counts("http.x.jwt_authn.jwks_fetch_failed", 2)},
            "confirmed: `jwt_authn.jwks_fetch_failed` is 2",
            id="fetches-are-counted",
        ),
    ],
)
def test_what_else_tells(family: str, frames: dict[str, pd.DataFrame], said: str) -> None:
    assert said_of(family, **frames).startswith(said)


@pytest.mark.parametrize(
    ("istiods", "said"),
    [
        pytest.param(["istiod-1"], "confirmed: no istiod has a stream of the 1 proxy that logged it", id="of-the-only"),
        pytest.param(["istiod-1", "istiod-2"], NOTHING, id="another-istiod-was-not-asked"),
    ],
)
def test_that_no_istiod_has_a_stream_is_said_where_all_were_asked(istiods: list[str], said: str) -> None:
    streams = frame("xds_connections", namespace=["x"], pod=["y"], istiod=["istio-system/istiod-1"])
    count = len(istiods)
    pods = frame("pods", namespace=["istio-system"] * count, pod=istiods, labels=[LABELS["istiod"]] * count)

    assert said_of("xds-stream-lost", xds_connections=streams, pods=pods) == said


def test_what_istiod_logged_of_rejections_is_of_all_proxies() -> None:
    lines = lines_of("config-rejected", pod="istiod-1", log=["istiod"] * 3)

    assert said_of("config-rejected", lines, **_refused(True)).startswith("confirmed: 1 rejection stands")


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        pytest.param(
            _hook(endpoints=False), "confirmed: istio-system/istiod has no ready endpoint", id="nobody-answers"
        ),
        pytest.param(_hook(ca_bundle=False), f"confirmed: {HOOK} has no CA bundle", id="no-bundle"),
        pytest.param(_hook(), NOTHING, id="all-as-it-should-be"),
        pytest.param({"webhooks": frame("webhooks", name=["x"])}, f"{HOOK} is not among the webhooks", id="not-there"),
    ],
)
def test_why_a_webhook_fails(frames: dict[str, pd.DataFrame], said: str) -> None:
    lines = lines_of("webhook", 1, log=["event"], text=[f'FailedCreate: failed calling webhook "{HOOK}": refused'])

    assert said_of("webhook", lines, **frames).startswith(said)


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        pytest.param(_sync("STALE"), "confirmed: shop/web-1 is STALE", id="stale"),
        pytest.param(_sync("SYNCED"), "over as of the capture: the proxy that it names is in sync", id="in-sync"),
        pytest.param(_sync("STALE", pod="web-2"), NOTHING, id="another"),
    ],
)
def test_a_push_that_failed_names_its_proxy(frames: dict[str, pd.DataFrame], said: str) -> None:
    lines = lines_of("push-failed", 1, pod="istiod-1", log=["istiod"], text=["Send failure for node: web-1.shop-7"])

    assert said_of("push-failed", lines, **frames) == said


@pytest.mark.parametrize(
    ("istiod", "said"),
    [
        ("istio-system/istiod-1", "the state of istio-system/istiod-1 was captured all the same"),
        (
            "istio-system/istiod-2",
            "confirmed: the state of istio-system/istiod-1 was not captured, only that of others",
        ),
    ],
)
def test_an_istiod_that_refused_to_tell(istiod: str, said: str) -> None:
    lines = lines_of("debug-refused", 1, pod="istiod-1", namespace=["istio-system"])

    assert said_of("debug-refused", lines, **_sync("SYNCED", istiod=istiod)).startswith(said)


@pytest.mark.parametrize(
    ("ip", "said"),
    [
        ("10.0.0.9", "confirmed: 10.0.0.9 is shop/pay-1, which Kubernetes knows"),
        ("10.0.0.8", "no pod has address 10.0.0.9 as of the capture"),
    ],
)
def test_an_address_that_a_ztunnel_does_not_know(ip: str, said: str) -> None:
    lines = lines_of("registry-gap", 1, text=["workload is unknown: 10.0.0.9:80"])

    assert said_of("registry-gap", lines, pods=frame("pods", namespace=["shop"], pod=["pay-1"], ip=[ip])) == said
