"""The sections of a report: one function each, given what ``mf.open`` returns; a notebook cell calls one.

>>> from meshforensics.report import sections  # then, in a cell: sections.verdict(b)
"""

from meshforensics.report.sections._alerts import alerts
from meshforensics.report.sections._coverage import coverage
from meshforensics.report.sections._findings import findings
from meshforensics.report.sections._header import header
from meshforensics.report.sections._hypotheses import hypotheses
from meshforensics.report.sections._impact import impact
from meshforensics.report.sections._leak import memory_measures, memory_rules
from meshforensics.report.sections._leak_since import memory_limit, memory_onset, memory_remedies
from meshforensics.report.sections._leak_with import memory_drivers, memory_groups, memory_pools
from meshforensics.report.sections._memory import memory
from meshforensics.report.sections._method import method
from meshforensics.report.sections._missing import not_captured
from meshforensics.report.sections._planes import planes
from meshforensics.report.sections._postmortem import (
    actions,
    contributing_factors,
    detection,
    postmortem_cause,
    postmortem_impact,
    postmortem_summary,
)
from meshforensics.report.sections._recovery import recovery
from meshforensics.report.sections._rotation import failing_pairs, missing_overlap, root_holders, trust_over_time
from meshforensics.report.sections._rotation_effects import (
    blocked_calls,
    safe_rotation,
    who_recovers,
    would_have_warned,
)
from meshforensics.report.sections._section import Section, section
from meshforensics.report.sections._standing import standing
from meshforensics.report.sections._story import story
from meshforensics.report.sections._timeline import timeline
from meshforensics.report.sections._trust import trust
from meshforensics.report.sections._upgrade import configuration_changes, lost_routes, refused_updates, versions
from meshforensics.report.sections._upgrade_errors import blast_radius, errors_by_route, first_push, rollback
from meshforensics.report.sections._validity import validity
from meshforensics.report.sections._verdict import verdict

__all__ = [
    "Section",
    "actions",
    "alerts",
    "blast_radius",
    "blocked_calls",
    "configuration_changes",
    "contributing_factors",
    "coverage",
    "detection",
    "errors_by_route",
    "failing_pairs",
    "findings",
    "first_push",
    "header",
    "hypotheses",
    "impact",
    "lost_routes",
    "memory",
    "memory_drivers",
    "memory_groups",
    "memory_limit",
    "memory_measures",
    "memory_onset",
    "memory_pools",
    "memory_remedies",
    "memory_rules",
    "method",
    "missing_overlap",
    "not_captured",
    "planes",
    "postmortem_cause",
    "postmortem_impact",
    "postmortem_summary",
    "recovery",
    "refused_updates",
    "rollback",
    "root_holders",
    "safe_rotation",
    "section",
    "standing",
    "story",
    "timeline",
    "trust",
    "trust_over_time",
    "validity",
    "verdict",
    "versions",
    "who_recovers",
    "would_have_warned",
]
