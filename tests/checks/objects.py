"""Run checks on Kubernetes objects as YAML, through the real tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from meshforensics.checks import Check
from meshforensics.testing import Said, outcome, tables_of

NOON = pd.Timestamp("2026-01-01T12:00:00Z")


def frames(check: Check, *payloads: str, kind: str = "foreign.k8s-resources") -> dict[str, pd.DataFrame]:
    """The tables that `check` reads, made of objects; those that nothing was captured of are left out."""
    together = "\n---\n".join(payload.strip().removesuffix("---") for payload in payloads)
    tables = tables_of((kind, "-", together.encode()), captured_at=NOON.to_pydatetime())
    asked = [each.name for each in check.parameters if each.table]
    return {name: tables.frame(name) for name in asked if tables.state(name).captured}


def said_of(check: Check, *payloads: str) -> Said:
    """What `check` says of objects."""
    return said_of_frames(check, frames(check, *payloads))


def said_of_frames(check: Check, given: Mapping[str, Any]) -> Said:
    """What `check` says of frames by name, at noon."""
    return outcome(check, at=NOON, **given)


def rows_of_objects(check: Check, *payloads: str) -> pd.DataFrame:
    """The offending rows before they become findings, where a test counts each."""
    return check.rows(**frames(check, *payloads))


def expected(corpus: Path, case: str, *codes: str) -> list[str]:
    """The objects that istioctl analyze names in a case, for some codes, sorted: ``VirtualService default/a``."""
    table = pd.read_csv(corpus / "istio_analyze_expected.tsv", sep="\t", dtype=str, keep_default_na=False)
    own = table[(table["case"].str.startswith(case)) & table["code"].isin(codes)]
    return sorted(own["object"])


def case(corpus: Path, name: str) -> str:
    """The input of a case of istioctl analyze."""
    return (corpus / "istio_analyze" / name).read_text(encoding="utf-8")


def named(objects: "pd.Series[str]") -> list[str]:
    """``Kind:namespace/name`` as istioctl prints it, sorted."""
    return sorted(str(each).replace(":", " ", 1) for each in objects)
