"""virtual_service_rules: what a VirtualService says, rule by rule, with its place."""

from tests.tables.objects import made_of
from tests.tables.reading import cells

ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: pay, namespace: shop}
spec:
  hosts: [pay, api.example]
  exportTo: ["."]
  http:
  - name: beta
    match: [{uri: {prefix: /beta}}]
    fault: {abort: {httpStatus: 500}}
    route:
    - {destination: {host: pay, subset: v2, port: {number: 80}}, weight: 10}
    - {destination: {host: user.web.svc.cluster.local}, weight: "90"}
    mirror: {host: copy}
    timeout: 1m30s
    retries: {attempts: 2, perTryTimeout: 500ms}
  - redirect: {uri: /}
  tcp:
  - route: [{destination: {host: pay}}]
"""


def test_a_row_per_rule_and_destination() -> None:
    rules = made_of("virtual_service_rules", ROUTE)

    assert cells(rules, "section", "rule", "host", "subset", "port", "weight", "mirror", "action", "pointer") == [
        ("http", 0, "pay.shop.svc.cluster.local", "v2", 80, 10, False, "route", "/spec/http/0/route/0"),
        ("http", 0, "user.web.svc.cluster.local", None, None, 90, False, "route", "/spec/http/0/route/1"),
        ("http", 0, "copy.shop.svc.cluster.local", None, None, None, True, "route", "/spec/http/0/mirror"),
        ("http", 1, None, None, None, None, False, "redirect", "/spec/http/1"),
        ("tcp", 0, "pay.shop.svc.cluster.local", None, None, None, False, "route", "/spec/tcp/0/route/0"),
    ]
    assert cells(rules.iloc[:1], "name", "match", "timeout_s", "attempts", "per_try_timeout_s", "fault") == [
        ("beta", '[{"uri":{"prefix":"/beta"}}]', 90.0, 2, 0.5, '{"abort":{"httpStatus":500}}')
    ]
    assert cells(rules.iloc[:1], "object", "hosts", "gateways", "export_to") == [
        ("VirtualService:shop/pay", ("pay.shop.svc.cluster.local", "api.example"), ("mesh",), (".",))
    ]


def test_what_has_another_form_is_left_out() -> None:
    odd = ROUTE.split("spec:", maxsplit=1)[0]

    assert made_of("virtual_service_rules", odd + "spec: [http]").empty
    assert made_of("virtual_service_rules", odd + "spec: {http: {route: 1}, tcp: [1]}").empty
    assert cells(made_of("virtual_service_rules", odd + "spec: {http: [{timeout: soon}]}"), "timeout_s") == [(None,)]
