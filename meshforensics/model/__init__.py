"""Plain data that every other room speaks in: items, findings, hypotheses, errors, the one clock."""

from meshforensics.model._gather import gather
from meshforensics.model.clock import compact_time, format_time, now, parse_time
from meshforensics.model.errors import (
    BundleError,
    DeclarationError,
    MeshForensicsError,
    NotTheFormError,
    SourceError,
    TruncatedError,
    UnknownNameError,
    UsageError,
)
from meshforensics.model.finding import (
    Evidence,
    Finding,
    NotEvaluated,
    Phase,
    Plane,
    Quantity,
    Severity,
    Window,
)
from meshforensics.model.hypothesis import Ground, Hypothesis, Impact, Missing, Standing
from meshforensics.model.item import MESH, Cause, Item, Status, pod_of
from meshforensics.model.shown import Listing, facts_html, lines

__all__ = [
    "MESH",
    "BundleError",
    "Cause",
    "DeclarationError",
    "Evidence",
    "Finding",
    "Ground",
    "Hypothesis",
    "Impact",
    "Item",
    "Listing",
    "MeshForensicsError",
    "Missing",
    "NotEvaluated",
    "NotTheFormError",
    "Phase",
    "Plane",
    "Quantity",
    "Severity",
    "SourceError",
    "Standing",
    "Status",
    "TruncatedError",
    "UnknownNameError",
    "UsageError",
    "Window",
    "compact_time",
    "facts_html",
    "format_time",
    "gather",
    "lines",
    "now",
    "parse_time",
    "pod_of",
]
