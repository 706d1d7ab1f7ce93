"""Canaries: what must not reach the disk is nowhere in the bytes of a captured bundle."""

import base64
import json
from typing import Any

import pytest

from meshforensics.bundle import BundleWriter
from tests.capture.world import mesh, take
from tests.replay.evidence import AT, listed, pod

CANARY = "canary7f3a9c51d2e84b06"
TOKEN = f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ{CANARY}.{CANARY}"


def test_planted_secrets_are_found_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    source = _planted(monkeypatch)
    with mesh(source, monkeypatch):
        again = take().bundle

    held = b"".join(again.read(item) for item in again.items if item.stored)
    assert b"shop" in held
    assert [form for form in (CANARY, base64.b64encode(CANARY.encode()).decode()) if form.encode() in held] == []
    assert sum(sum(item.redactions.values()) for item in again.items) >= 5


def _planted(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A mesh with canaries; nothing is redacted on the way into this bundle, as in a cluster nothing is."""
    with monkeypatch.context() as patched:
        patched.setattr("meshforensics.bundle._redaction.Redactor.redact", lambda _, payload: (payload, {}))
        with BundleWriter("memory://tests-canary/1", mesh="lab", layout="test") as writer:
            for kind, subject, payload in (
                ("kubernetes.pods", "-", listed("Pod", _pod())),
                ("log.istio-proxy", "shop/web-0", f"2026-11-23T18:48:00Z authorization: Bearer {TOKEN}\n".encode()),
                ("envoy.config_dump", "shop/web-0", _dump()),
            ):
                writer.add(kind, subject, payload, captured_at=AT, time_source="Date")
            return writer.seal()


def _pod() -> dict[str, Any]:
    body = pod("web-0")
    secret = {"apiVersion": "v1", "kind": "Secret", "data": {"password": base64.b64encode(CANARY.encode()).decode()}}
    body["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps(secret, separators=(",", ":"))
    }
    environment = [{"name": "DB_PASSWORD", "value": CANARY}, {"name": "AWS_SECRET_ACCESS_KEY", "value": CANARY}]
    body["spec"]["containers"][0]["env"] = environment
    return body


def _dump() -> bytes:
    headers = [{"header": {"key": "authorization", "value": f"Bearer {TOKEN}"}}]
    route = {"name": "a", "request_headers_to_add": headers}
    return json.dumps({"configs": [{"dynamic_route_configs": [{"route_config": route}]}]}).encode()
