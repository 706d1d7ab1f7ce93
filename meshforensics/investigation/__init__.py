"""One bundle, opened for investigation: its tables, findings, hypotheses and verdict as of one instant."""

from meshforensics.investigation._investigation import Investigation
from meshforensics.investigation._open import open_evidence

__all__ = ["Investigation", "open_evidence"]
