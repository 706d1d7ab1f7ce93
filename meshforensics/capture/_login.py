"""Read a kubeconfig as the official client does, but renew tokens of OpenID over TLS that is verified.

The client's own renewal verifies no certificate, and loses the refresh token that an issuer gives in exchange for the
old one, which may be void from then on. Imported when needed only: the client takes most of a second to import.
"""

import base64
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import aiohttp
from kubernetes.aio.config import ConfigException
from kubernetes.aio.config.kube_config import KubeConfigLoader, KubeConfigMerger

_PATIENCE = 20.0


async def load(file: str, context: str, settings: Any) -> "Loader":
    """The loader of a kubeconfig, or of several, after it has logged in.

    Raises:
        ConfigException: it cannot be used.
    """
    merged = KubeConfigMerger(file)
    loader = Loader(
        config_dict=merged.config,
        config_base_path=None,
        active_context=context or None,
        config_persister=lambda _: merged.save_changes(),
    )
    await loader.load_and_set(settings)
    return loader


class Loader(KubeConfigLoader):  # type: ignore[misc]  # the client has no types
    """The client's loader, with a renewal of its own."""

    async def _refresh_oidc(self, provider: Any) -> None:
        """Renew the token, and keep what was got where the old one was, as kubectl does."""
        config: dict[str, Any] = provider["config"].value
        if not config.get("refresh-token"):
            raise ConfigException("oidc: the id-token has ended, and there is no refresh-token; log in again")
        try:
            got = await _renewed(config)
        except (aiohttp.ClientError, TimeoutError, OSError, KeyError, ValueError) as error:
            raise ConfigException(f"oidc: the id-token has ended and could not be renewed: {error!r}") from error
        config["id-token"] = str(got["id_token"])
        config["refresh-token"] = str(got.get("refresh_token") or config["refresh-token"])
        self._config_persister(self._config.value)


async def _renewed(config: dict[str, Any]) -> dict[str, Any]:
    """What the issuer gives for the refresh token (OpenID Connect Core, 12)."""
    issuer, secret = str(config["idp-issuer-url"]).rstrip("/"), str(config.get("client-secret") or "")
    form = {"grant_type": "refresh_token", "refresh_token": str(config["refresh-token"])}
    headers = {"Accept": "application/json"}
    if secret:
        both = f"{quote_plus(str(config['client-id']))}:{quote_plus(secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(both.encode()).decode()}"
    else:
        form["client_id"] = str(config["client-id"])
    timeout = aiohttp.ClientTimeout(total=_PATIENCE)
    connector = aiohttp.TCPConnector(ssl=_verified(config))
    async with aiohttp.ClientSession(
        timeout=timeout, connector=connector, trust_env=True, raise_for_status=True
    ) as one:
        async with one.get(f"{issuer}/.well-known/openid-configuration") as said:
            metadata = await said.json()
        async with one.post(str(metadata["token_endpoint"]), data=form, headers=headers) as said:
            got: dict[str, Any] = await said.json()
    if "id_token" not in got:
        raise KeyError("id_token")
    return got


def _verified(config: dict[str, Any]) -> ssl.SSLContext:
    """The authorities that may vouch for the issuer."""
    if data := config.get("idp-certificate-authority-data"):
        return ssl.create_default_context(cadata=base64.b64decode(data).decode())
    if file := config.get("idp-certificate-authority"):
        return ssl.create_default_context(cafile=str(Path(file).expanduser()))
    return ssl.create_default_context()
