"""The short names of xDS resource types, as logs and tables write them."""

from functools import lru_cache

_SHORT = {
    "cluster": "cds",
    "listener": "lds",
    "route": "rds",
    "routeconfiguration": "rds",
    "scoped_route": "srds",
    "scopedrouteconfiguration": "srds",
    "clusterloadassignment": "eds",
    "endpoint": "eds",
    "secret": "sds",
    "typedextensionconfig": "ecds",
    "address": "wds",
    "workload": "wds",
    "authorization": "wads",
}


@lru_cache(maxsize=256)
def short_type(url: str) -> str:
    """The discovery service of a type URL; an unknown type keeps its last word.

    >>> short_type("type.googleapis.com/envoy.config.listener.v3.Listener"), short_type("LDS")
    ('lds', 'lds')
    """
    word = url.rpartition("/")[2].rpartition(".")[2].lower()
    return _SHORT.get(word, word)
