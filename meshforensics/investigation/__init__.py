"""One bundle, opened for investigation: its tables, findings, hypotheses and verdict as of one instant."""

from meshforensics.investigation._investigation import Investigation
from meshforensics.investigation._open import open_evidence, parse_span
from meshforensics.investigation._shipped import captures, shipped

__all__ = ["Investigation", "captures", "open_evidence", "parse_span", "shipped"]
