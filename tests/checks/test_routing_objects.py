"""VirtualServices and DestinationRules that name what is not there."""

from pathlib import Path

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.routing_objects import (
    conflicting_hosts,
    missing_subset,
    port_not_chosen,
    subset_without_pods,
    unknown_host,
    unknown_port,
    unknown_rule_host,
)
from meshforensics.model import Severity
from meshforensics.testing import outcome
from tests.checks.objects import case, expected, frames, named, rows_of_objects, said_of, said_of_frames

FULL = "pay.shop.svc.cluster.local"
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: pay, namespace: shop}
spec: {selector: {app: pay}, ports: [{name: http, port: 80}]}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: pay-1, namespace: shop, labels: {app: pay, version: v1}}
status: {phase: Running}
"""


def virtual_service(
    route: str, *, name: str = "pay", hosts: str = "[pay]", namespace: str = "shop", more: str = ""
) -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{hosts: {hosts}, {more} http: [{{route: [{route}]}}]}}
"""


def destination_rule(subsets: str, *, host: str = "pay", namespace: str = "shop", more: str = "") -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: pay, namespace: {namespace}}}
spec: {{host: {host}, {more} subsets: [{subsets}]}}
"""


ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: out, namespace: shop}
spec: {hosts: ["*.example.com"], exportTo: ["."], ports: [{number: 443, name: tls, protocol: TLS}]}
"""


@pytest.mark.parametrize(
    ("host", "namespace", "found"),
    [
        pytest.param("pay", "shop", [], id="short-name"),
        pytest.param(FULL, "web", [], id="full-name"),
        pytest.param("pay.shop.svc.other.domain", "web", [], id="another-cluster-domain"),
        pytest.param("pay", "web", ["pay.web.svc.cluster.local"], id="short-name-of-another-namespace"),
        pytest.param("pay.shop", "shop", ["pay.shop"], id="half-a-name-is-not-completed"),
        pytest.param("api.example.com", "shop", [], id="wildcard-of-a-service-entry"),
        pytest.param("api.example.com", "web", ["api.example.com"], id="not-exported"),
    ],
)
def test_unknown_host(host: str, namespace: str, found: list[str]) -> None:
    said = said_of(
        unknown_host, SERVICE, ENTRY, virtual_service(f"{{destination: {{host: {host}}}}}", namespace=namespace)
    )

    assert [each.observed.value for each in said.findings if each.observed] == found
    assert [each.severity for each in said.findings] == [Severity.WARNING] * len(found)


def test_an_unknown_host_is_shown_at_its_destination() -> None:
    said = said_of(unknown_host, SERVICE, virtual_service("{destination: {host: pay}}, {destination: {host: gone}}"))

    assert [each.pointer for finding in said.findings for each in finding.evidence] == ["#doc2/spec/http/0/route/1"]


def test_a_host_is_unknown_only_where_all_services_are_listed() -> None:
    given = frames(unknown_host, SERVICE, virtual_service("{destination: {host: gone}}"), kind="kubernetes.objects")

    assert len(given["virtual_service_rules"]) == 1
    assert said_of_frames(unknown_host, given).findings == ()


@pytest.mark.parametrize(("port", "found"), [(80, 0), (8080, 1)])
def test_unknown_port(port: int, found: int) -> None:
    said = said_of(unknown_port, SERVICE, virtual_service(f"{{destination: {{host: pay, port: {{number: {port}}}}}}}"))

    assert len(said.findings) == found


@pytest.mark.parametrize(("ports", "found"), [("{port: 80}", 0), ("{port: 80, name: a}, {port: 81, name: b}", 1)])
def test_port_not_chosen(ports: str, found: int) -> None:
    service = SERVICE.replace("{name: http, port: 80}", ports)

    said = said_of(port_not_chosen, service, virtual_service("{destination: {host: pay}}"))

    assert [each.severity for each in said.findings] == [Severity.INFO] * found


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        pytest.param(destination_rule("{name: v1}"), 0, id="there"),
        pytest.param(destination_rule("{name: v2}"), 1, id="another"),
        pytest.param(destination_rule("{name: v1}", namespace="web", host=FULL), 0, id="exported"),
        pytest.param(
            destination_rule("{name: v1}", namespace="web", host=FULL, more='exportTo: ["."],'),
            1,
            id="not-exported",
        ),
        pytest.param(destination_rule("{name: v1}", host="'*.shop.svc.cluster.local'"), 0, id="by-wildcard"),
        pytest.param("", 1, id="no-rule-at-all"),
    ],
)
def test_missing_subset(rule: str, found: int) -> None:
    said = said_of(missing_subset, virtual_service("{destination: {host: pay, subset: v1}}"), rule)

    assert len(said.findings) == found


def test_no_subset_is_missing_where_rules_may_not_have_been_captured() -> None:
    given = frames(
        missing_subset,
        virtual_service("{destination: {host: pay, subset: v1}}"),
        kind="kubernetes.virtualservices.networking.istio.io",
    )

    assert said_of_frames(missing_subset, given).findings == ()


@pytest.mark.parametrize(
    ("host", "found"), [("pay", 0), ("gone", 1), ("'*.shop.svc.cluster.local'", 0), ("api.example.com", 0)]
)
def test_unknown_rule_host(host: str, found: int) -> None:
    said = said_of(unknown_rule_host, SERVICE, ENTRY, destination_rule("", host=host))

    assert len(said.findings) == found


@pytest.mark.parametrize(
    ("labels", "pod", "found"),
    [
        pytest.param("{version: v1}", POD, 0, id="has-pods"),
        pytest.param("{version: v2}", POD, 1, id="no-pod-of-that-label"),
        pytest.param("{version: v1}", POD.replace("app: pay", "app: other"), 1, id="not-of-this-service"),
        pytest.param("{version: v1}", POD.replace("Running", "Succeeded"), 1, id="has-ended"),
        pytest.param("{version: v1}", POD.replace("namespace: shop", "namespace: web"), 1, id="in-another-namespace"),
    ],
)
def test_subset_without_pods(labels: str, pod: str, found: int) -> None:
    said = said_of(
        subset_without_pods,
        SERVICE,
        pod,
        destination_rule(f"{{name: canary, labels: {labels}}}"),
        virtual_service("{destination: {host: pay, subset: canary}, weight: 10}"),
    )

    assert len(said.findings) == found
    assert all("VirtualService:shop/pay leads there with weight 10" in each.detail for each in said.findings)


def test_a_service_without_selector_has_no_pods_to_select() -> None:
    said = said_of(
        subset_without_pods,
        SERVICE.replace("selector: {app: pay}, ", ""),
        POD,
        destination_rule("{name: v2, labels: {version: v2}}"),
    )

    assert said.findings == ()


ROUTE = "{destination: {host: pay}}"


@pytest.mark.parametrize(
    ("other", "found"),
    [
        pytest.param(virtual_service(ROUTE, name="b"), 1, id="same-host"),
        pytest.param(virtual_service(ROUTE, name="b", hosts="[user]"), 0, id="another-host"),
        pytest.param(virtual_service(ROUTE, name="b", namespace="web"), 0, id="short-name-elsewhere"),
        pytest.param(
            virtual_service(ROUTE, name="b", namespace="web", hosts=f"[{FULL}]"),
            1,
            id="by-full-name",
        ),
        pytest.param(virtual_service(ROUTE, name="b", more="gateways: [edge],"), 0, id="at-a-gateway-they-merge"),
        pytest.param(
            virtual_service(ROUTE, name="b", namespace="web", hosts=f"[{FULL}]", more='exportTo: ["."],'),
            1,
            id="seen-together-in-one-namespace",
        ),
    ],
)
def test_conflicting_hosts(other: str, found: int) -> None:
    said = said_of(conflicting_hosts, virtual_service(ROUTE), other)

    assert [len(each.subjects) for each in said.findings] == [2] * found


@pytest.mark.parametrize(
    "check",
    [
        unknown_host,
        unknown_port,
        port_not_chosen,
        missing_subset,
        unknown_rule_host,
        subset_without_pods,
        conflicting_hosts,
    ],
)
def test_without_objects_they_are_not_evaluated(check: Check) -> None:
    first = next(each.name for each in check.parameters if each.table)

    assert (outcome(check).not_evaluated or "").startswith(f"not captured: {first}")


# istioctl analyze and Kiali as independent truth


def test_hosts_and_ports_as_istioctl_analyze_finds_them(corpus: Path) -> None:
    given = case(corpus, "virtualservice_destinationhosts.yaml")

    found = pd.concat([rows_of_objects(unknown_host, given), rows_of_objects(unknown_port, given)])

    assert named(found["object"]) == expected(corpus, "038", "IST0101")
    assert named(rows_of_objects(port_not_chosen, given)["object"]) == expected(corpus, "038", "IST0112")


def test_conflicts_as_istioctl_analyze_finds_them(corpus: Path) -> None:
    found = rows_of_objects(conflicting_hosts, case(corpus, "virtualservice_conflictingmeshgatewayhosts.yaml"))

    assert sorted(set(named(found["object"]))) == expected(corpus, "036", "IST0109")


@pytest.mark.parametrize(
    ("check", "code", "file", "number"),
    [
        (unknown_rule_host, "IST0174", "destinationrule-with-fake-host.yaml", "100"),
        (subset_without_pods, "IST0173", "destinationrule-subsets-not-select-pods.yaml", "101"),
    ],
)
def test_destination_rules_as_istioctl_analyze_finds_them(
    check: Check, code: str, file: str, number: str, corpus: Path
) -> None:
    found = rows_of_objects(check, case(corpus, file), POD if code == "IST0173" else SERVICE)

    assert named(found["object"]) == expected(corpus, number, code)


@pytest.mark.parametrize(
    "file",
    [
        "subset-presence-export-subset",
        "subset-presence-no-matching-export-subset",
        "subset-presence-matching-subsets-diff-ns-half-fqdn",
        "subset-presence-no-matching-subsets-2",
    ],
)
def test_subsets_as_kiali_finds_them(file: str, corpus: Path) -> None:
    table = pd.read_csv(corpus / "kiali_expected.tsv", sep="\t", dtype=str, keep_default_na=False)
    wanted = table[table["input_file"].str.endswith(f"/{file}.yaml") & (table["code"] == "KIA1107")]["path"]
    payload = (corpus / "kiali_validations" / "virtualservices" / f"{file}.yaml").read_text(encoding="utf-8")

    found = rows_of_objects(missing_subset, payload)

    places = [pointer.split("/spec/")[1].split("/") for pointer in found["pointer"]]
    assert [f"spec/{a}[{b}]/{c}[{d}]/destination" for a, b, c, d in places] == list(wanted)


def test_subsets_without_pods_as_kiali_finds_them(corpus: Path) -> None:
    folder = corpus / "kiali_validations" / "virtualservices"
    payload = (folder / "subset-presence-not-referenced.yaml").read_text(encoding="utf-8")
    world = (SERVICE + "---" + POD).replace("shop", "bookinfo").replace("pay", "reviews")

    found = rows_of_objects(subset_without_pods, payload, world)

    assert [pointer.split("/spec")[1] for pointer in found["pointer"]] == ["/subsets/0", "/subsets/1"]
