"""The allow-list: what capture may ask a proxy or a control plane. Only GET, only pages that change nothing.

Everything else is refused before it is asked. To name some: Envoy's ``/quitquitquit``, ``/reset_counters``,
``/logging?…``, ``/healthcheck/fail``, ``/drain_listeners``, ``/cpuprofiler``, ``/heapprofiler``, ``/runtime_modify``;
istiod's ``adsz?push=true``, ``cachez?clear=true``, ``force_disconnect`` change state. istiod's
``config_dump?proxyID=`` corrupts its SDS cache before 1.26.5, 1.27.2 and 1.28.0 (istio/istio#57789): the proxies' own
dumps tell the same, so that it is asked of no version.
"""

from meshforensics.formats.pages import PAGES, Page
from meshforensics.model import UsageError

_ALLOWED = frozenset((page.port, page.path) for page in PAGES)


def allowed(port: int, path: str) -> bool:
    """Whether a page may be asked for.

    >>> allowed(15000, "/certs"), allowed(15000, "/quitquitquit"), allowed(15014, "/debug/adsz?push=true")
    (True, False, False)
    """
    return (port, path) in _ALLOWED


def check(page: Page) -> Page:
    """The page itself.

    Raises:
        UsageError: it is not one of those that may be asked for.
    """
    if not allowed(page.port, page.path):
        raise UsageError(f"GET {page.path} of port {page.port} is not on the list of pages that change nothing")
    return page
