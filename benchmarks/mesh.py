"""Make a mesh of like sidecars out of one real config dump.

The seed is grown to the size asked for by repeating its outbound clusters, listeners, routes and
endpoints under other names; the sidecars then differ in node id, in their certificates, in times, and in a
few resources of their own. Printed as Envoy prints: one space of indentation.
"""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SEED = Path(__file__).parent.parent / "tests" / "data" / "envoy-1.40" / "config_dump.json"
"""A real dump, of Envoy 1.40 with Istio's configuration."""

_LISTS = ("dynamic_active_clusters", "dynamic_listeners", "dynamic_route_configs", "dynamic_endpoint_configs")
_HOST = re.compile(r"\.(travel|ops)\.svc")
_TIME = re.compile(r'("last_updated": "[^"]*:)\d\d\.\d{3}Z"')
Dump = dict[str, Any]


def sidecars(seed: bytes, *, proxies: int, megabytes: float) -> Iterator[bytes]:
    """`proxies` dumps of about `megabytes` each."""
    grown = _grown(json.loads(seed), int(megabytes * 1e6))
    text = json.dumps(grown, indent=1, ensure_ascii=False)
    draw = random.Random(3)
    for number in range(proxies):
        yield _own(text, number, draw).encode()


def _grown(dump: Dump, size: int) -> Dump:
    lists = [section[name] for section in dump["configs"] for name in _LISTS if name in section]
    repeated = [[each for each in held if _belongs_to_a_service(each)] for held in lists]
    each = sum(len(json.dumps(held, indent=1)) for held in repeated) * 1.25
    copies = max(0, round((size - len(json.dumps(dump, indent=1))) / each))
    for held in lists:
        originals = [element for element in held if _belongs_to_a_service(element)]
        for number in range(copies):
            held.extend(_renamed(element, number) for element in originals)
    return dump


def _belongs_to_a_service(element: Dump) -> bool:
    """Whether a mesh with more services has more of these: BlackHoleCluster comes once in every proxy."""
    text = json.dumps(element)
    own = ("virtualInbound", '"inbound|', "error_state")
    return _HOST.search(text) is not None and not any(word in text for word in own)


def _renamed(element: Dump, number: int) -> Dump:
    """A copy of an element as if it belonged to service number `number`."""
    text = json.dumps(element)
    text = _HOST.sub(rf"-{number}.\1.svc", text)
    text = re.sub(r'"name": "([^"|]*_?\d{4,5})"', rf'"name": "\1-{number}"', text)
    renamed: Dump = json.loads(text)
    return renamed


def _own(text: str, number: int, draw: random.Random) -> str:
    """What one sidecar prints: own node id, certificate, times, and a changed timeout or two."""
    text = re.sub(r'("id": "sidecar~[^~]*~)([^"~.]*)', rf"\g<1>\2-{number}", text, count=1)
    text = re.sub(r'("inline_bytes": "LS0tLS1CRUdJTiBDRVJU)', rf"\g<1>{number:08d}", text, count=1)
    text = _TIME.sub(lambda found: f'{found.group(1)}{draw.randrange(60):02d}.{draw.randrange(1000):03d}Z"', text)
    for _ in range(2):
        own = f'"max_retries": {draw.randrange(2**20)}'
        text = text.replace('"max_retries": 4294967295', own, draw.randrange(1, 3))
    return text
