"""What a caller of a replay may do."""

from typing import Any

import pytest

from meshforensics.replay._access import ACCESS, AUTHENTICATION, AUTHORIZATION, RULES, WHO, review, reviewed


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [
        ({"resourceAttributes": {"verb": "list", "resource": "pods"}}, True),
        ({"resourceAttributes": {"verb": "get", "resource": "pods", "subresource": "log"}}, True),
        ({"resourceAttributes": {"verb": "create", "resource": "pods", "subresource": "exec"}}, True),
        ({"resourceAttributes": {"verb": "create", "resource": "pods"}}, False),
        ({"resourceAttributes": {"verb": "delete", "resource": "pods"}}, False),
        ({"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}, True),
        ({"nonResourceAttributes": {"verb": "post", "path": "/"}}, False),
        ({}, True),
    ],
)
def test_access(spec: dict[str, Any], allowed: bool) -> None:
    said = review(AUTHORIZATION, ACCESS, {"spec": spec})

    assert (said["kind"], said["apiVersion"]) == ("SelfSubjectAccessReview", "authorization.k8s.io/v1")
    assert said["status"]["allowed"] == allowed
    assert bool(said["status"]["reason"]) != allowed


def test_rules_name_what_access_allows() -> None:
    status = review(AUTHORIZATION, RULES, {})["status"]

    assert [(rule["verbs"], rule["resources"]) for rule in status["resourceRules"]] == [
        (["get", "list", "watch"], ["*"]),
        (["create", "get"], ["pods/exec", "pods/portforward"]),
    ]


def test_who() -> None:
    assert review(AUTHENTICATION, WHO, {})["status"]["userInfo"]["username"] == "meshforensics-replay"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("apis/authorization.k8s.io/v1/selfsubjectaccessreviews", (AUTHORIZATION, ACCESS)),
        ("apis/authentication.k8s.io/v1/selfsubjectreviews", (AUTHENTICATION, WHO)),
        ("apis/authorization.k8s.io/v1/subjectaccessreviews", None),
        ("apis/authentication.k8s.io/v1/tokenreviews", None),
        ("apis/apps/v1/selfsubjectaccessreviews", None),
    ],
)
def test_paths_of_reviews(path: str, found: tuple[str, str] | None) -> None:
    assert reviewed(path.split("/")) == found
