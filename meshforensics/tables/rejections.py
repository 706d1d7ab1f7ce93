"""Configuration that proxies refused, from every place that tells of it."""

import re
from collections.abc import Iterator

import pandas as pd

from meshforensics.formats import istiod_log, proxy_log, syncz
from meshforensics.formats._xds_object import object_named
from meshforensics.formats.proxy_log import Rejected, refused_resources
from meshforensics.formats.xds_type import short_type
from meshforensics.model import pod_of
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._frames import ABSENT, keys, text, texts
from meshforensics.tables._mended import mended
from meshforensics.tables._xds import dump_of
from meshforensics.tables.xds_sync import pod

_CONFIG_KEY = re.compile(r"/apis/[^/\s]+/[^/\s]+/namespaces/[^/\s]+/[\w-]+/[\w.-]+")
_NAMED = re.compile(r"\bEnvoyFilter[: ]+\"?([a-z0-9][\w.-]*/[a-z0-9][\w.-]*)")
_BEHIND = {"NACKED": True, "SYNCED": False}

_COLUMNS = (
    Column("type", "category", about="lds, cds, rds, …", source="type URL"),
    Column("resource_name", "category", about="Resource that was refused; missing where unsaid.", source="text"),
    Column("message", "str", about="Why, without the words that all rejections share.", source="text"),
    Column("at", "datetime64[us, UTC]", about="When it was refused, or pushed (syncz).", source="log, dump, syncz"),
    Column("place", "category", about="config_dump, syncz, istiod-log or proxy-log.", source="item"),
    Column("istiod", "category", about="The istiod that was told, as namespace/pod.", source="item"),
    Column("object", "category", about="Object behind it, where the text names one.", source="text"),
    Column("current", "boolean", about="Whether it still stands; missing where nothing tells.", source="computed"),
)
_OF = (
    Column("namespace", "category", about="Namespace of the proxy.", source="item, proxy"),
    Column("pod", "category", about="Pod of the proxy.", source="item, proxy"),
)


def _of_dump(reading: Reading) -> Iterator[Row]:
    who = _who(reading)
    for each in dump_of(reading).rejections:
        said = Rejected(short_type(each.kind), each.name, each.details, each.last_update_attempt, each.pointer)
        for name, message in refused_resources(each.details):
            yield _row(who, said, (name or each.name, message), ("config_dump", None, True), each.made_by)


def _of_proxy_log(reading: Reading) -> Iterator[Row]:
    who = _who(reading)
    ended = reading.item.kind.endswith(".previous")
    for each in reading.decoded(proxy_log.decode).rejections:
        current = False if ended or each.previous else None
        yield _row(who, each, (each.resource_name, each.message), ("proxy-log", None, current))


def _of_istiod_log(reading: Reading) -> Iterator[Row]:
    for each in reading.decoded(istiod_log.decode).nacks:
        said = Rejected(each.type, each.resource_name, each.message, each.at, each.pointer)
        place = ("istiod-log", reading.item.subject, None)
        yield _row(pod(each.proxy), said, (each.resource_name, each.message), place)


def _of_syncz(reading: Reading) -> Iterator[Row]:
    for each in reading.decoded(syncz.decode):
        said = Rejected(each.type, None, each.error or "", each.sent_at, each.pointer)
        place = ("syncz", reading.item.subject, each.status != "SYNCED")
        for resource in refused_resources(each.error) if each.error else ():
            yield _row(pod(each.proxy), said, resource, place)


def _row(
    who: tuple[str | None, str | None],
    said: Rejected,
    resource: tuple[str | None, str],
    place: tuple[str, str | None, bool | None],
    made_by: str | None = None,
) -> Row:
    name, message = resource
    where, istiod, current = place
    maker = _object(message) or made_by
    return (said.pointer, *who, said.type or None, name, message, said.at, where, istiod, maker, current)


def _who(reading: Reading) -> tuple[str | None, str | None]:
    return pod_of(reading.item.subject) or (None, reading.item.subject)


def _object(message: str) -> str | None:
    """The object that the text of a rejection names."""
    key = _CONFIG_KEY.search(message)
    if key:
        return object_named(key.group(0))
    named = _NAMED.search(message)
    return f"EnvoyFilter:{named.group(1)}" if named else None


rejection_reports = Table(
    id="rejection_reports",
    about="Rejections as each place tells of them by itself; `current` only where that place knows.",
    of="mesh",
    columns=(*_OF, *_COLUMNS),
    reads={
        "envoy.config_dump": _of_dump,
        "istiod.syncz": _of_syncz,
        "log.istio-proxy*": _of_proxy_log,
        "log.discovery*": _of_istiod_log,
    },
)


def _rejections(
    rejection_reports: pd.DataFrame,
    xds_sync: pd.DataFrame = ABSENT,
    listeners: pd.DataFrame = ABSENT,
    listener_instances: pd.DataFrame = ABSENT,
    clusters: pd.DataFrame = ABSENT,
    cluster_instances: pd.DataFrame = ABSENT,
    stats: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """Reports of logs, judged by what istiod says of that proxy and type, else by what the proxy itself holds."""
    made = rejection_reports.copy()
    if made.empty:
        return made
    stands = _standing(xds_sync) if len(xds_sync) else {}
    known = pd.Series([stands.get(key) for key in _keys(made)], index=made.index, dtype="object")
    own = made["current"].astype("object")
    made["current"] = own.where(own.notna(), known)
    open_ = made["current"].isna() & made["at"].notna()
    over = [*mended(made[open_], listener_instances, cluster_instances, stats)]
    made.loc[made[open_].index[over], "current"] = False
    makers, told = {**_makers(listeners, "lds"), **_makers(clusters, "cds")}, _told_elsewhere(made)
    named = [told.get(key) or makers.get(key[:2]) for key in keys(made, "type", "resource_name", "message")]
    said = made["object"].astype("object")
    made["object"] = said.where(said.notna(), pd.Series(named, index=made.index, dtype="object"))
    return made


def _keys(frame: pd.DataFrame) -> "list[tuple[str, ...]]":
    return keys(frame, "namespace", "pod", "type")


def _told_elsewhere(reports: pd.DataFrame) -> dict[tuple[str, ...], str]:
    """The object that made a refused resource, as one place tells it, for those that tell the same refusal."""
    told = reports[(text(reports["object"]) != "") & (text(reports["resource_name"]) != "")]
    of = ("type", "resource_name", "message")
    return dict(zip(keys(told, *of), texts(told["object"]), strict=True))


def _makers(resources: pd.DataFrame, kind: str) -> dict[tuple[str, ...], str]:
    """The object that made each resource, by type and name."""
    if resources.empty:
        return {}
    told = resources[text(resources["object"]) != ""]
    return {(kind, name): maker for name, maker in keys(told, "name", "object")}


def _standing(xds_sync: pd.DataFrame) -> dict[tuple[str, ...], bool | None]:
    """Whether a rejection of a proxy and type stands, as the last capture says; None where it does not say."""
    ordered = xds_sync.sort_values("captured_at", kind="stable", na_position="first")
    return {key: _BEHIND.get(status) for key, status in zip(_keys(ordered), texts(ordered["status"]), strict=True)}


rejections = Table(
    id="rejections",
    about="Configuration that proxies refused, one row per resource and place that tells of it.",
    of="pod",
    columns=_COLUMNS,
    derives=_rejections,
)
