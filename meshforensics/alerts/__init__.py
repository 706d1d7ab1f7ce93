"""Alert rules of a mesh: as a rules file for Prometheus, and to be held against what a capture sampled."""

from meshforensics.alerts._load import Alert, alerts, rules_file

__all__ = ["Alert", "alerts", "rules_file"]
