"""Pages of a mesh's own ports: which port and path gives which kind of item, by GET and without changing anything.

Sources: Envoy docs/root/operations/admin.rst; istio pilot/pkg/xds/debug.go and pilot/cmd/pilot-agent; ztunnel
src/admin.rs; linkerd2-proxy linkerd/app/admin.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of one port.

    Attributes:
        kind: the kind of item that its body is.
        port: where it is served.
        path: its path and query, as it is asked for.
        also: other paths that give the same.
    """

    kind: str
    port: int
    path: str
    also: tuple[str, ...] = ()


ADMIN_PORT = 15000
"""Envoy's and ztunnel's admin port, on loopback inside the pod."""
AGENT_PORT = 15020
ISTIOD_PORT = 15014
LINKERD_PORT = 4191
ENVOY_PROMETHEUS_PORT = 15090
ISTIOD_LOCAL_PORT = 8080

ENVOY_PAGES: tuple[Page, ...] = (
    Page(kind="envoy.config_dump", port=ADMIN_PORT, path="/config_dump?include_eds"),
    Page(kind="envoy.certs", port=ADMIN_PORT, path="/certs"),
    Page(kind="envoy.clusters", port=ADMIN_PORT, path="/clusters"),
    Page(kind="envoy.listeners", port=ADMIN_PORT, path="/listeners"),
    Page(kind="envoy.server_info", port=ADMIN_PORT, path="/server_info"),
    Page(kind="envoy.memory", port=ADMIN_PORT, path="/memory"),
    Page(kind="envoy.runtime", port=ADMIN_PORT, path="/runtime"),
    Page(kind="envoy.init_dump", port=ADMIN_PORT, path="/init_dump"),
    Page(kind="envoy.stats", port=ADMIN_PORT, path="/stats"),
    Page(
        kind="envoy.stats_prometheus",
        port=ADMIN_PORT,
        path="/stats/prometheus",
        also=("/stats?format=prometheus",),
    ),
)
AGENT_PAGES: tuple[Page, ...] = (Page(kind="agent.metrics", port=AGENT_PORT, path="/stats/prometheus"),)
ISTIOD_PAGES: tuple[Page, ...] = (
    Page(kind="istiod.syncz", port=ISTIOD_PORT, path="/debug/syncz"),
    Page(kind="istiod.adsz", port=ISTIOD_PORT, path="/debug/adsz"),
    Page(kind="istiod.configz", port=ISTIOD_PORT, path="/debug/configz"),
    Page(kind="istiod.registryz", port=ISTIOD_PORT, path="/debug/registryz"),
    Page(kind="istiod.endpointz", port=ISTIOD_PORT, path="/debug/endpointShardz", also=("/debug/endpointz",)),
    Page(kind="istiod.push_status", port=ISTIOD_PORT, path="/debug/push_status"),
    Page(kind="istiod.mesh", port=ISTIOD_PORT, path="/debug/mesh"),
    Page(kind="istiod.metrics", port=ISTIOD_PORT, path="/metrics"),
    Page(kind="istiod.version", port=ISTIOD_PORT, path="/version"),
)
ZTUNNEL_PAGES: tuple[Page, ...] = (
    Page(kind="ztunnel.config_dump", port=ADMIN_PORT, path="/config_dump"),
    Page(kind="ztunnel.metrics", port=AGENT_PORT, path="/stats/prometheus"),
)
LINKERD_PAGES: tuple[Page, ...] = (Page(kind="linkerd.metrics", port=LINKERD_PORT, path="/metrics"),)

PAGES: tuple[Page, ...] = (*ENVOY_PAGES, *AGENT_PAGES, *ISTIOD_PAGES, *ZTUNNEL_PAGES, *LINKERD_PAGES)


def kinds_of(port: int, path: str) -> tuple[str, ...]:
    """The kinds of item that a page may be; empty for a page that nobody captures.

    >>> kinds_of(15000, "/config_dump?include_eds")
    ('envoy.config_dump',)
    >>> kinds_of(15000, "/quitquitquit")
    ()
    """
    return tuple(page.kind for page in PAGES if page.port == port and path in _paths(page))


def _paths(page: Page) -> Iterable[str]:
    return (page.path, *page.also)
