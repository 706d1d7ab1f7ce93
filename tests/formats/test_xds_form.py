"""The meaning of a resource: free of order, of defaults, of what changes by itself, of old names."""

import json
from typing import Any

import pytest

from meshforensics.formats.xds_form import differences, form, form_of, resource_name, summary
from meshforensics.model import NotTheFormError


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return differences(form(one), form(other)) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            {"virtual_hosts": [{"name": "a", "domains": ["x", "y"]}, {"name": "b"}]},
            {"virtual_hosts": [{"name": "b"}, {"domains": ["y", "x"], "name": "a"}]},
            id="order-of-hosts-and-domains",
        ),
        pytest.param({"lb_policy": "ROUND_ROBIN", "name": "c"}, {"name": "c"}, id="a-default"),
        pytest.param({"use_original_dst": False}, {}, id="false-is-the-default"),
        pytest.param({"version_info": "1", "last_updated": "x"}, {"version_info": "2"}, id="volatile"),
        pytest.param(
            {"filters": [{"name": "envoy.http_connection_manager", "config": {"stat_prefix": "a"}}]},
            {
                "filters": [
                    {"name": "envoy.filters.network.http_connection_manager", "typed_config": {"stat_prefix": "a"}}
                ]
            },
            id="a-filter-that-was-renamed",
        ),
        pytest.param(
            {"@type": "type.googleapis.com/envoy.api.v2.Cluster"},
            {"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster"},
            id="a-message-of-another-version",
        ),
        pytest.param(
            {"match_subject_alt_names": [{"exact": "spiffe://a"}]},
            {"match_typed_subject_alt_names": [{"san_type": "URI", "matcher": {"exact": "spiffe://a"}}]},
            id="typed-names",
        ),
        pytest.param(
            {"match": {"regex": "/a.*"}},
            {"match": {"safe_regex": {"google_re2": {}, "regex": "/a.*"}}},
            id="safe-regex",
        ),
        pytest.param(
            {"headers": [{"name": "x", "exact_match": "1"}]},
            {"headers": [{"name": "x", "string_match": {"exact": "1"}}]},
            id="header-matchers",
        ),
        pytest.param(
            {"metadata": {"istio": {"config": "/apis/networking.istio.io/v1alpha3/namespaces/a/virtual-service/b"}}},
            {"metadata": {"istio": {"config": "/apis/networking.istio.io/v1/namespaces/a/virtual-service/b"}}},
            id="the-version-of-an-api",
        ),
        pytest.param({"name": "inbound|80|http|a.b"}, {"name": "inbound|80||"}, id="an-inbound-name"),
    ],
)
def test_what_means_the_same_is_no_difference(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert _alike(one, other)


@pytest.mark.parametrize(
    ("one", "other", "paths"),
    [
        pytest.param({"bind_to_port": False}, {}, ["bind_to_port"], id="false-is-no-default-here"),
        pytest.param({"timeout": "0s"}, {}, ["timeout"], id="no-timeout-is-not-the-default"),
        pytest.param(
            {"routes": [{"name": "a"}, {"name": "b"}]}, {"routes": [{"name": "b"}, {"name": "a"}]}, ["routes[order]"],
            id="the-first-route-that-matches-wins",
        ),
        pytest.param(
            {"routes": [{"name": "a", "cluster": "x"}]}, {"routes": [{"name": "a", "cluster": "y"}]},
            ["routes[a].cluster"], id="a-value",
        ),
        pytest.param(
            {"routes": [{"name": "a"}, {"name": "b"}]}, {"routes": [{"name": "b"}]}, ["routes[a].name"],
            id="one-gone-is-no-new-order",
        ),
    ],
)  # fmt: skip
def test_what_means_something_else_is_one(one: dict[str, Any], other: dict[str, Any], paths: list[str]) -> None:
    assert [each.path for each in differences(form(one), form(other))] == paths


def test_elements_of_one_name_are_told_apart() -> None:
    made = form({"routes": [{"name": "a", "timeout": "1s"}, {"name": "a", "timeout": "2s"}]})

    assert (made["routes[a].timeout"], made["routes[a #2].timeout"]) == ("1s", "2s")


def test_a_summary_tells_a_new_element_once() -> None:
    before = form({"http_filters": [{"name": "router"}]})
    after = form({"http_filters": [{"name": "jwt", "typed_config": {"a": 1, "b": 2}}, {"name": "router"}]})

    assert [tuple(each) for each in summary(before, after)] == [("http_filters[jwt]", None, "there, 3 fields")]


@pytest.mark.parametrize("payload", [b"", b"[]", b"upstream connect error", b'{"a": 1'])
def test_what_is_no_resource_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        form_of(payload)


def test_the_form_of_bytes_is_the_form_of_what_they_say() -> None:
    value = {"name": "c", "type": "EDS", "connect_timeout": "5s"}

    assert form_of(json.dumps(value).encode()) == {"name": "c", "type": "EDS"}


@pytest.mark.parametrize(
    ("name", "today"),
    [
        ("inbound|9080|http|reviews.shop.svc.cluster.local", "inbound|9080||"),
        ("inbound|9080||", "inbound|9080||"),
        ("outbound|80|v1|a.b", "outbound|80|v1|a.b"),
        ("xds-grpc", "xds-grpc"),
    ],
)
def test_names_of_resources(name: str, today: str) -> None:
    assert resource_name(name) == today
