"""Who we are to an API server: plugins that log in, OpenID, impersonation, the service account of a pod."""

import base64
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from meshforensics.bundle import Bundle
from meshforensics.cli import main
from meshforensics.model import now
from meshforensics.replay import Api, Replay, application, replay
from tests.capture.test_job import as_a_pod
from tests.capture.world import kubeconfig, mesh, said, serving, shop, take

GOOD = ("captured", None)
PLUGIN = """
import json, os, sys
asked = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
assert asked["kind"] == "ExecCredential" and os.environ["REGION"] == "somewhere"
if sys.argv[1] == "broken":
    sys.exit("the session has ended: log in again")
print(json.dumps({
    "apiVersion": asked["apiVersion"], "kind": "ExecCredential",
    "status": {"token": sys.argv[1], "expirationTimestamp": "2999-01-01T00:00:00Z"},
}))
"""


def soon() -> float:
    """In an hour."""
    return now().timestamp() + 3600


def jwt(ends: float) -> str:
    """A token with an end; its signature is nobody's."""
    parts = ({"alg": "none"}, {"exp": int(ends)})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "x"]
    )


@contextmanager
def as_user(monkeypatch: pytest.MonkeyPatch, folder: Path, user: dict[str, Any], token: str = "") -> Iterator[Replay]:
    """A replay whose kubeconfig has this user in place of its own; ``TOKEN`` in it becomes the right token."""

    def change(api: Api) -> web.Application:
        return application(replace(api, token=token or api.token))

    with replay(shop(1), change=change) as served:
        config = yaml.safe_load(served.kubeconfig.read_text(encoding="utf-8"))
        right = config["users"][0]["user"]["token"]
        config["users"][0]["user"] = json.loads(json.dumps(user).replace("TOKEN", right))
        path = folder / "kubeconfig"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        monkeypatch.setenv("KUBECONFIG", str(path))
        yield served


def plugin(folder: Path, word: str) -> dict[str, Any]:
    script = folder / "login.py"
    script.write_text(PLUGIN, encoding="utf-8")
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(script), word],
            "env": [{"name": "REGION", "value": "somewhere"}],
            "interactiveMode": "Never",
        }
    }


def whole(bundle: Bundle) -> None:
    """Lists, logs and pages came: every way to the server carries the credentials."""
    assert said(bundle, "kubernetes.pods") == GOOD
    assert said(bundle, "log.istio-proxy", "shop/web-000") == GOOD
    assert said(bundle, "envoy.config_dump", "shop/web-000") == GOOD


def test_a_plugin_that_logs_in_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with as_user(monkeypatch, tmp_path, plugin(tmp_path, "TOKEN")):
        bundle = take().bundle

    whole(bundle)


def test_a_plugin_that_fails_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with as_user(monkeypatch, tmp_path, plugin(tmp_path, "broken")):
        assert main(["capture", "-o", str(tmp_path / "bundle")]) == 2

    assert "gave no credentials" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()


def provider(issuer: str, token: str) -> dict[str, Any]:
    config = {
        "client-id": "me", "client-secret": "s", "id-token": token, "idp-issuer-url": issuer, "refresh-token": "old",
    }  # fmt: skip
    return {"auth-provider": {"name": "oidc", "config": config}}


def test_a_token_of_openid_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token = jwt(soon())
    with as_user(monkeypatch, tmp_path, provider("http://127.0.0.1:1", token), token):
        bundle = take().bundle

    whole(bundle)


def test_a_token_of_openid_that_has_ended_is_had_anew_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    new = jwt(soon())
    forms: list[dict[str, str]] = []

    async def metadata(request: web.Request) -> web.Response:
        return web.json_response({"token_endpoint": f"{request.url.origin()}/token"})

    async def token(request: web.Request) -> web.Response:
        forms.append({name: str(value) for name, value in (await request.post()).items()})
        return web.json_response({"id_token": new, "refresh_token": "next"})

    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", metadata)
    app.router.add_post("/token", token)
    with serving(app) as issuer, as_user(monkeypatch, tmp_path, provider(issuer, jwt(1.0)), new):
        bundle = take().bundle

    whole(bundle)
    assert forms == [{"grant_type": "refresh_token", "refresh_token": "old"}]
    kept = yaml.safe_load((tmp_path / "kubeconfig").read_text(encoding="utf-8"))["users"][0]["user"]
    assert kept["auth-provider"]["config"]["refresh-token"] == "next"  # as kubectl keeps it: the old one may be void


def test_an_issuer_that_nobody_vouches_for_is_not_told_the_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mesh(shop(1), monkeypatch) as asked:
        server = yaml.safe_load(Path(kubeconfig()).read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
        with as_user(monkeypatch, tmp_path, provider(server, jwt(1.0))):
            assert main(["capture", "-o", str(tmp_path / "bundle")]) == 2

    assert "could not be renewed" in capsys.readouterr().err
    assert asked.requests == []


def test_another_user_is_asked_as_where_the_kubeconfig_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with mesh(shop(1), monkeypatch) as asked:
        path = tmp_path / "kubeconfig"
        config = yaml.safe_load(Path(kubeconfig()).read_text(encoding="utf-8"))
        config["users"][0]["user"] |= {
            "as": "viewer",
            "as-groups": ["sre", "on-call"],
            "as-uid": "7",
            "as-user-extra": {"Scope/a": ["x"]},
        }
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        monkeypatch.setenv("KUBECONFIG", str(path))
        bundle = take().bundle

    whole(bundle)
    names = ("Impersonate-User", "Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-scope%2Fa")
    assert {tuple(tuple(each.get(name, ())) for name in names) for each in asked.headers} == {
        (("viewer",), ("sre", "on-call"), ("7",), ("x",))
    }
    assert asked.paths("/portforward")


def test_a_pod_uses_its_service_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with mesh(shop(1), monkeypatch) as asked:
        as_a_pod(monkeypatch, tmp_path)
        bundle = take().bundle

    whole(bundle)
    assert asked.requests


def test_several_kubeconfigs_are_read_as_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with mesh(shop(1), monkeypatch):
        config = yaml.safe_load(Path(kubeconfig()).read_text(encoding="utf-8"))
        users = {"apiVersion": "v1", "kind": "Config", "users": config.pop("users")}
        (tmp_path / "a").write_text(yaml.safe_dump(config), encoding="utf-8")
        (tmp_path / "b").write_text(yaml.safe_dump(users), encoding="utf-8")
        monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'a'}:{tmp_path / 'b'}")
        bundle = take().bundle

    whole(bundle)
