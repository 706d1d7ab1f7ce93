"""Which API server, and as whom: kubeconfig, plugins that log in, impersonation, the service account of a pod."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from meshforensics.capture._cluster import Cluster
from meshforensics.model import SourceError

_DEFAULT = "~/.kube/config"
_NOWHERE = "no cluster is known: give --context, set KUBECONFIG, run inside a cluster, or name an --envoy"
_EVERY = 30.0
"""Seconds from one look at a token's end to the next."""


async def connect(context: str, patience: float, kubeconfig: str = "") -> Cluster:
    """The cluster of a context of the kubeconfig, or the one that we run in.

    Raises:
        SourceError: none is known, or the kubeconfig cannot be used.
    """
    from kubernetes.aio import client, config  # noqa: PLC0415 - 0.7 s that an import of this room need not take
    from kubernetes.aio.config import ConfigException  # noqa: PLC0415

    from meshforensics.capture._login import load  # noqa: PLC0415

    settings = client.Configuration()
    named = bool(context or kubeconfig or "KUBECONFIG" in os.environ)
    inside = not named and "KUBERNETES_SERVICE_HOST" in os.environ
    try:
        if inside:
            config.load_incluster_config(client_configuration=settings)
            return Cluster(client.ApiClient(settings), context="-", namespace=_own(), patience=patience)
        loader = await load(_file(kubeconfig), context, settings)
    except (ConfigException, OSError, ValueError) as error:
        raise SourceError(f"{error}; {_NOWHERE}") from error
    user = loader._user
    if user and "exec" in user and not (settings.api_key.get("BearerToken") or settings.cert_file):
        raise SourceError(f"the plugin {user['exec'].safe_get('command')!r} of the kubeconfig gave no credentials")
    chosen = loader.current_context
    return Cluster(
        client.ApiClient(settings),
        context=str(chosen["name"]),
        namespace=str(chosen["context"].get("namespace") or "default"),
        patience=patience,
        headers=tuple(_impersonated(user)) if user else (),
        refresh=asyncio.create_task(_keep_fresh(loader, settings)) if _ends(loader) else None,
    )


def _file(given: str) -> str:
    """The kubeconfig, or several in one text, as KUBECONFIG names them.

    Raises:
        SourceError: there is none.
    """
    file = given or os.environ.get("KUBECONFIG") or _DEFAULT
    if not any(Path(each).expanduser().is_file() for each in file.split(os.pathsep)):
        raise SourceError(f"there is no kubeconfig at {file}; {_NOWHERE}")
    return file


def _impersonated(user: Any) -> Iterator[tuple[str, str]]:
    """The headers by which a user asks as another one, as kubectl sends them."""
    for field, header in (("as", "Impersonate-User"), ("as-uid", "Impersonate-Uid")):
        if value := user.safe_get(field):
            yield header, str(value)
    for group in _plain(user.safe_get("as-groups")) or ():
        yield "Impersonate-Group", str(group)
    for key, values in (_plain(user.safe_get("as-user-extra")) or {}).items():
        for value in values:
            yield f"Impersonate-Extra-{quote(str(key).lower(), safe='')}", str(value)


def _plain(node: Any) -> Any:
    """What a node of a kubeconfig holds."""
    return getattr(node, "value", node)


def _ends(loader: Any) -> bool:
    """Whether the token that was given ends some time, and another can be had."""
    return loader.provider in {"oidc", "gcp"} or hasattr(loader, "exec_plugin_expiry")


async def _keep_fresh(loader: Any, settings: Any) -> None:
    """Log in again whenever a token has ended; where that fails, the server's answers say so."""
    from kubernetes.aio.config import ConfigException  # noqa: PLC0415

    while True:
        await asyncio.sleep(_EVERY)
        try:
            await loader.load_and_set(settings)
        except (ConfigException, OSError, ValueError):
            continue


def _own() -> str:
    """The namespace of the service account that we run as."""
    try:
        return Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace").read_text(encoding="utf-8").strip()
    except OSError:
        return "default"
