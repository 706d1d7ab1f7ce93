"""Every topic: whole, quoted, honest about the guide; manifests that hold together."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshforensics.guide import (
    Topic,
    claims,
    declared_topics,
    general_setting,
    service_named,
    setting_of,
    topic_named,
)
from meshforensics.model import UnknownNameError, UsageError
from meshforensics.profile import load_profile
from meshforensics.recovery import Command, Manifest, Mesh
from tests.advice import Judged, judged
from tests.guide.settings import ROUTE, RULE, manifests, service, setting

each_topic = pytest.mark.parametrize("topic", declared_topics().values(), ids=lambda each: each.id)
SETTINGS = [
    pytest.param(general_setting("", load_profile())[0], id="general"),
    pytest.param(setting(), id="named"),
    pytest.param(setting(service(rule=RULE, route=ROUTE), Mesh(version=(1, 20))), id="old-with-objects"),
]
WANTED = {
    "proxy-status", "config-dump", "certificates", "breakers", "forced-sync", "access-bypass", "debug-tracing",
    "sidecar-limits", "debug-route",
}  # fmt: skip


@pytest.fixture(scope="module")
def case(captures: Path) -> Judged:
    return judged(captures / "upgrade-503", "bank/desk-v3-*")


def test_the_quick_reference_is_whole() -> None:
    assert set(declared_topics()) >= WANTED


@each_topic
def test_a_topic_says_where_the_guide_has_it_and_what_is_so(topic: Topic) -> None:
    assert topic.about[0].isupper()
    assert topic.source
    assert [each for each in topic.claims if each not in claims()] == []
    assert topic.claims


@each_topic
@pytest.mark.parametrize("where", SETTINGS)
def test_a_shell_reads_every_command_as_it_is_meant(topic: Topic, where: Any) -> None:
    made = [part for part in topic.make(where) if not isinstance(part, str)]

    done = subprocess.run(["bash", "-n"], input="\n".join(part.shell for part in made).encode(), check=False)

    assert done.returncode == 0
    for command in (part for part in made if isinstance(part, Command)):
        line = command.shell.partition(" > ")[0] if command.into else command.shell
        assert shlex.split(line) == [word for each in (command.words, *command.pipes) for word in ("|", *each)][1:]


@each_topic
@pytest.mark.parametrize("where", SETTINGS)
def test_a_manifest_is_an_object_with_a_name(topic: Topic, where: Any) -> None:
    for manifest in (part for part in topic.make(where) if isinstance(part, Manifest) and not part.partial):
        for document in yaml.safe_load_all(manifest.yaml):
            assert set(document) == {"apiVersion", "kind", "metadata", "spec"}
            assert set(document["metadata"]) == {"name", "namespace"}
            assert re.fullmatch(r"[a-z.]+\.istio\.io/v1(alpha1|beta1)?", document["apiVersion"])


@pytest.mark.parametrize("where", SETTINGS)
def test_the_debug_route_names_a_subset_that_its_rule_has_and_tries_that_fit(where: Any) -> None:
    rule, route, trace = manifests("debug-route", where)

    http = route["spec"]["http"][0]
    assert http["match"] == [{"headers": {"debug": {"exact": "true"}}}]
    assert http["route"][0]["destination"]["subset"] in [each["name"] for each in rule["spec"]["subsets"]]
    retries = http["retries"]
    tries = (retries["attempts"] + 1) * int(retries["perTryTimeout"].removesuffix("s"))
    assert tries <= int(http["timeout"].removesuffix("s"))
    assert "match" not in route["spec"]["http"][-1]
    assert trace["spec"]["tracing"] == [{"randomSamplingPercentage": 100}]
    assert not any("debug.istio.io" in str(each) for each in (rule, route, trace))


def test_objects_that_are_there_are_saved_and_added_to() -> None:
    where = setting(service(rule=RULE, route=ROUTE))

    saved, *_ = (part for part in topic_named("debug-route").make(where) if isinstance(part, Command))
    rule, route, _ = manifests("debug-route", where)

    assert saved.shell.startswith("kubectl -n shop get destinationrules.networking.istio.io/cart-rule -o yaml | sed")
    assert [each["name"] for each in rule["spec"]["subsets"]] == ["v1", "debug"]
    assert (rule["metadata"]["name"], route["metadata"]["name"]) == ("cart-rule", "cart-route")
    assert route["spec"]["http"][1:] == ROUTE.spec["http"]


def test_printing_twice_adds_once() -> None:
    rule, route, _ = manifests("debug-route", setting(service(rule=RULE, route=ROUTE)))
    again = setting(service(rule=RULE.__class__(named=RULE.named, spec=rule["spec"]),
                            route=ROUTE.__class__(named=ROUTE.named, spec=route["spec"])))  # fmt: skip

    assert manifests("debug-route", again)[:2] == [rule, route]


@pytest.mark.parametrize(
    ("profile", "policy"),
    [
        ("default", {"tcp": {"maxConnections": 1024, "connectTimeout": "10s"},
                     "http": {"http1MaxPendingRequests": 1024, "http2MaxRequests": 1024, "maxRetries": 3}}),
        ("guide", {"tcp": {"maxConnections": 100, "connectTimeout": "2s"},
                   "http": {"http1MaxPendingRequests": 50, "http2MaxRequests": 200, "maxRetries": 3}}),
    ],
)  # fmt: skip
def test_pools_are_those_of_the_profile(profile: str, policy: dict[str, Any]) -> None:
    (rule,) = manifests("connection-pools", setting(profile=profile))

    assert rule["spec"]["trafficPolicy"]["connectionPool"] == policy


def test_the_names_of_a_bundle(case: Judged) -> None:
    where, said = setting_of(case, "bank/menu", "x.zip")

    assert said == "For bank/menu of x.zip, Istio 1.31."
    assert (where.service.port, where.service.workload.name) == (8000, "menu-v3")
    assert where.service.caller[1].startswith("desk-v3-")
    assert where.service.route is not None
    assert where.service.route.named.name == "menu"
    said_of_it = [part for part in topic_named("debug-route").make(where) if isinstance(part, str)]
    assert said_of_it[0].startswith("The route names v4 already, which no subset of the rule is")


def test_without_a_service_it_is_the_one_that_the_verdict_is_about(case: Judged) -> None:
    where, said = setting_of(case, "", "x.zip")

    assert where.service.host == "desk.bank.svc.cluster.local"
    assert "(one of 6; --service NS/NAME for another)" in said


def test_a_service_that_is_not_there_is_an_error(case: Judged) -> None:
    with pytest.raises(UnknownNameError, match="'bank/menus'; did you mean 'bank/menu'"):
        setting_of(case, "bank/menus", "x.zip")


@pytest.mark.parametrize("asked", ["shop", "shop/", "/cart", "shop/a;id", "Shop/cart", "shop/cart/x"])
def test_what_is_no_service_is_refused(asked: str) -> None:
    with pytest.raises(UsageError, match="is no service"):
        service_named(asked)


def test_an_unknown_topic_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'certificates'"):
        topic_named("certificate")


def test_short_hosts_and_gateway_routes_are_told_apart(case: Judged) -> None:
    where, _ = setting_of(case, "bank/desk", "x.zip")

    assert where.service.route is None  # the route of desk is of a gateway alone
    assert where.service.rule is not None
