"""What a capture may do: the allow-list, the ClusterRole, one request at a time."""

from pathlib import Path

import pytest
import yaml

from meshforensics.capture import Options, Permission, needed, preview
from meshforensics.capture._allowed import allowed, check
from meshforensics.formats.pages import PAGES, Page
from meshforensics.model import UsageError
from tests.capture.world import ROOT, mesh, on, refuse, shipped, shop, take


def role() -> set[Permission]:
    """The permissions of the documented ClusterRoles."""
    roles = list(yaml.safe_load_all((ROOT / "docs" / "capture-clusterrole.yaml").read_text(encoding="utf-8")))
    own = {each["metadata"]["name"]: [rule["resources"] for rule in each["rules"]] for each in roles[1:]}
    assert own == {
        "meshforensics-capture-secrets": [["secrets"]],
        "meshforensics-capture-prometheus": [["services/proxy"]],
    }
    rules = [rule for each in roles for rule in each["rules"]]
    return {
        Permission(group=group, resource=resource, verb=verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize(
    ("port", "path"),
    [
        (15000, "/quitquitquit"),
        (15000, "/reset_counters"),
        (15000, "/logging?level=debug"),
        (15000, "/healthcheck/fail"),
        (15000, "/drain_listeners"),
        (15014, "/debug/adsz?push=true"),
        (15014, "/debug/cachez?clear=true"),
        (15014, "/debug/force_disconnect?proxyID=x"),
        (15014, "/debug/config_dump?proxyID=web-1.shop"),
        (15020, "/quitquitquit"),
    ],
)
def test_what_changes_state_is_refused_before_it_is_asked(port: int, path: str) -> None:
    assert not allowed(port, path)
    with pytest.raises(UsageError):
        check(Page(kind="envoy.certs", port=port, path=path))


def test_every_page_that_is_captured_is_allowed() -> None:
    assert [page for page in PAGES if not allowed(page.port, page.path)] == []


def test_the_documented_role_is_what_a_capture_needs() -> None:
    assert role() == set(needed(prometheus="auto"))


def test_a_capture_uses_no_verb_beyond_the_role(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shipped("healthy"), monkeypatch) as asked:
        take()
    with mesh(shop(), monkeypatch, on("/portforward", refuse(403))) as by_exec:
        take()

    used = {found for method, path in (*asked.requests, *by_exec.requests) if (found := _used(method, path))}
    assert used - role() == set()
    assert {each.resource for each in used} >= {"pods", "pods/log", "pods/exec", "pods/portforward"}


def _used(method: str, path: str) -> Permission | None:
    """The permission that a request needs; None for discovery, which everybody has."""
    parts = path.strip("/").split("/")
    assert method == "GET"
    group, rest = ("".join(parts[1:2]), parts[3:]) if parts[0] == "apis" else ("", parts[2:])
    if not rest:
        return None
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    resource = "/".join((rest[0], *rest[2:]))
    verb = "list" if len(rest) == 1 else "get"
    return Permission(group=group, resource=resource, verb=verb)


def test_no_more_at_once_than_there_are_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shop(20), monkeypatch) as asked:
        take()

    assert asked.most_at_once <= 32  # 16 jobs, and discovery before them


def test_a_dry_run_asks_for_no_page_and_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    with mesh(shop(3), monkeypatch) as asked:
        dry = preview(Options())

    assert dry.pods == 4
    assert {each.given for each in dry.checked} == {True}
    assert asked.paths("/log") == asked.paths("/portforward") == asked.paths("/exec") == []
    assert dry.requests > 4 * 11


def test_a_dry_run_prints_what_is_denied(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from meshforensics.cli import main

    monkeypatch.chdir(tmp_path)
    with mesh(shop(), monkeypatch, on("/selfsubjectaccessreviews", refuse(403))):
        assert main(["capture", "--dry-run"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert "unknown  list    pods (everywhere)" in lines
    assert "       2 envoy.config_dump, about 1400 KiB" in lines
    assert lines[-1].startswith("meshforensics-replay: 3 pods of a mesh, ")
    assert list(tmp_path.iterdir()) == []
