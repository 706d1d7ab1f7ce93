"""Where an item lies in a bundle."""

import re
from datetime import datetime

from meshforensics.model import compact_time, pod_of

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_SUFFIXES = {
    "config_dump": "json", "certs": "json", "server_info": "json", "memory": "json", "runtime": "json",
    "init_dump": "json", "syncz": "json", "adsz": "json", "configz": "json", "registryz": "json", "endpointz": "json",
    "push_status": "json", "mesh": "json", "range": "json",
}  # fmt: skip


def path_of(kind: str, subject: str, captured_at: datetime | None, taken: set[str]) -> str:
    """The payload path of an item, relative to the bundle; never one whose lower case is in `taken`.

    Two paths never differ by case alone: some file systems take them for one.

    >>> path_of("envoy.certs", "shop/web-1", None, set())
    'data/proxies/shop/web-1/unknown/certs.json.zst'
    """
    room, name = _room(kind), _name(kind)
    when = compact_time(captured_at) if captured_at else "unknown"
    pod = pod_of(subject)
    whose = "/".join(safe(part) for part in pod) if pod else safe(subject)
    base = f"data/{room}/{when}" if whose in {"", "-"} else f"data/{room}/{whose}/{when}"
    stem, dot, suffix = name.rpartition(".")
    number = 1
    path = f"{base}/{name}.zst"
    while path.lower() in taken:
        number += 1
        path = f"{base}/{stem}-{number}{dot}{suffix}.zst"
    return path


def safe(part: str) -> str:
    """A path segment made of harmless characters only; never ``.`` or ``..``, never over 200 characters."""
    cleaned = _UNSAFE.sub("_", part)[:200]
    return cleaned if cleaned.strip(".") else "_" * max(1, len(cleaned)) if cleaned else ""


def _room(kind: str) -> str:
    family = kind.split(".", maxsplit=1)[0]
    return {
        "envoy": "proxies",
        "agent": "proxies",
        "ztunnel": "proxies",
        "linkerd": "proxies",
        "istiod": "control-plane",
        "kubernetes": "kubernetes",
        "log": "logs",
        "prometheus": "prometheus",
    }.get(family, "foreign")


def _name(kind: str) -> str:
    family, _, word = kind.partition(".")
    word = safe(word or family)
    if family == "log":
        return f"{word}.log"
    if family == "kubernetes":
        return f"{word}.json"
    return f"{word}.{_SUFFIXES.get(word, 'txt')}"
