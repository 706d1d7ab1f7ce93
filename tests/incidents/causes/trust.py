"""A mesh of three proxies made by hand: what roots and leaf each holds, when it took them, who calls whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd

from meshforensics.incidents import Case
from meshforensics.testing import frame
from tests.incidents.cases import NOON, case
from tests.pki import Made, certificate

OLD = certificate("mesh", key_name="old-root", ca=True, serial=1, begin=datetime(2025, 1, 1, tzinfo=UTC))
NEW = certificate("mesh", key_name="new-root", ca=True, serial=2, begin=datetime(2025, 12, 1, tzinfo=UTC))
CHANGE = pd.Timestamp(NOON) - pd.Timedelta("10min")
EARLY = pd.Timestamp(NOON) - pd.Timedelta("1h")
PAIRS = (("gw", "web"), ("web", "pay"))


@dataclass(frozen=True, kw_only=True)
class Held:
    """What one dump of a proxy holds: its roots, who signed its leaf, when it took them, when that was captured."""

    pod: str
    roots: Sequence[Made]
    by: Made
    since: pd.Timestamp = EARLY
    at: datetime = NOON


MOVED = (
    Held(pod="gw", roots=[OLD], by=OLD),
    Held(pod="web", roots=[OLD], by=OLD),
    Held(pod="pay", roots=[OLD], by=OLD, at=NOON - timedelta(minutes=30)),
    Held(pod="pay", roots=[NEW], by=NEW, since=CHANGE),
)
"""A rotation without overlap: pay moved to the new root alone."""

BOTH = tuple(
    Held(pod=pod, roots=[OLD, NEW], by=NEW if pod == "pay" else OLD, since=CHANGE) for pod in ("gw", "web", "pay")
)
"""A rotation with overlap: all trust both, one leaf is new."""


def mesh(*held: Held, **frames: pd.DataFrame) -> Case:
    """A case of these dumps."""
    return case(**{**_frames(held), **frames})


def _frames(held: Sequence[Held]) -> Mapping[str, pd.DataFrame]:
    certificates: list[dict[str, object]] = []
    secrets: list[dict[str, object]] = []
    trust: list[dict[str, object]] = []
    for each in held:
        item = f"envoy.config_dump:shop/{each.pod}-1@{each.at:%H%M}"
        place: dict[str, object] = {"namespace": "shop", "pod": f"{each.pod}-1", "captured_at": each.at, "item": item}
        leaf = certificate("", by=each.by, key_name=each.pod, san=f"spiffe://mesh/{each.pod}")
        shown = [("sds:default", "leaf", leaf), *(("sds:ROOTCA", "root", root) for root in each.roots)]
        for number, (where, role, made) in enumerate(shown):
            row = {"place": where, "role": role, "pem": made.pem, "fingerprint": made.fingerprint}
            serial = f"{made.certificate.serial_number:x}"
            certificates.append({**place, **row, "serial": serial, "pointer": f"/{number}"})
            if role == "root":
                valid = {
                    "not_before": made.certificate.not_valid_before_utc,
                    "not_after": made.certificate.not_valid_after_utc,
                }
                named = {"fingerprint": made.fingerprint, "root": made.key_name, "serial": serial}
                trust.append({**place, **named, **valid, "pointer": f"/{number}"})
        secrets += [{**place, "name": name, "last_updated": each.since} for name in ("default", "ROOTCA")]
    pairs = [
        {"namespace": "shop", "pod": f"{caller}-1", "server_namespace": "shop", "server_pod": f"{server}-1"}
        for caller, server in PAIRS
    ]
    tables: dict[str, Sequence[Mapping[str, object]]] = {
        "certificates": certificates,
        "secret_instances": secrets,
        "trust": trust,
        "tls_pairs": pairs,
    }
    return {name: _frame(name, rows) for name, rows in tables.items()}


def _frame(name: str, rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    columns = dict.fromkeys(column for row in rows for column in row)
    return frame(name, **{column: [row.get(column) for row in rows] for column in columns})
