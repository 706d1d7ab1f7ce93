"""Policies, pods and services for tests of access checks."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from meshforensics.tables import Tables
from meshforensics.testing import frame, tables_of


def objects(*made: tuple[str, str, dict[str, Any]], created: list[str] | None = None) -> pd.DataFrame:
    """Objects given as kind, ``namespace/name`` and spec."""
    return frame(
        "config",
        kind=[kind for kind, _, _ in made],
        namespace=[name.split("/")[0] for _, name, _ in made],
        name=[name.split("/")[1] for _, name, _ in made],
        object=[f"{kind}:{name}" for kind, name, _ in made],
        spec=[json.dumps(spec) for _, _, spec in made],
        created_at=[pd.Timestamp(each) for each in created] if created else [pd.NaT] * len(made),
    )


def pods_of(*made: str, injected: bool = True) -> pd.DataFrame:
    """Running pods given as ``namespace/app``; each runs as the account of its app's name."""
    return frame(
        "pods",
        namespace=[each.split("/")[0] for each in made],
        pod=[f"{each.split('/')[1]}-1" for each in made],
        phase=["Running"] * len(made),
        labels=[json.dumps({"app": each.split("/")[1]}) for each in made],
        service_account=[each.split("/")[1] for each in made],
        injected=[injected] * len(made),
        ip=[f"10.0.0.{number}" for number in range(len(made))],
    )


def services_of(*made: str, ports: tuple[str, ...] = ("http:80/TCP>8080",)) -> pd.DataFrame:
    """Services given as ``namespace/app``, that select the app."""
    return frame(
        "services",
        namespace=[each.split("/")[0] for each in made],
        name=[each.split("/")[1] for each in made],
        selector=[json.dumps({"app": each.split("/")[1]}) for each in made],
        ports=[ports] * len(made),
    )


def read(path: Path) -> Tables:
    """The tables of a file of objects."""
    return tables_of(("foreign.k8s-resources", "-", path.read_bytes()))


def selector(app: str) -> dict[str, Any]:
    """A selector of an app."""
    return {"selector": {"matchLabels": {"app": app}}}
