"""Hosts as objects name them."""

import pytest

from meshforensics.checks._hosts import labels_of, lists_all, matches, same, sees, service_of
from meshforensics.testing import frame


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        ("a.example", "a.example", True),
        ("a.example", "b.example", False),
        ("*", "a.example", True),
        ("*.example", "a.example", True),
        ("a.example", "*.example", True),
        ("*.example", "example", False),
        ("*.a.example", "*.example", True),
        ("*.a.example", "*.b.example", False),
    ],
)
def test_hosts_with_wildcards_meet(one: str, other: str, meets: bool) -> None:
    assert matches(one, other) is meets


@pytest.mark.parametrize(
    ("export_to", "viewer", "seen"),
    [((), "web", True), (("*",), "web", True), ((".",), "web", False), ((".",), "shop", True), (("web",), "web", True)],
)
def test_what_is_exported_is_seen(export_to: tuple[str, ...], viewer: str, seen: bool) -> None:
    assert sees(viewer, export_to, "shop") is seen


def test_spellings_of_a_service() -> None:
    spellings = ("pay.shop.svc.cluster.local", "pay.shop.svc", "pay.shop")

    assert {same(each) for each in spellings} == {"pay.shop"}
    assert [service_of(each) for each in spellings] == [("shop", "pay"), ("shop", "pay"), None]
    assert same("a.b.example") == "a.b.example"


@pytest.mark.parametrize(
    ("item", "whole"),
    [
        ("kubernetes.pods:-@x", True),
        ("kubernetes.pods:shop@x", False),
        ("foreign.k8s-resources:-@x", True),
        ("kubernetes.objects:-@x", False),
    ],
)
def test_a_list_of_one_namespace_is_no_whole_list(item: str, whole: bool) -> None:
    assert lists_all(frame(item=[item]), "pods") is whole


def test_labels_that_are_none() -> None:
    assert [labels_of(said) for said in ('{"a":"b"}', "", "[]", "{")] == [{"a": "b"}, {}, {}, {}]
