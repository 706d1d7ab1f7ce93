"""Print declarations of checks."""

import textwrap

from meshforensics.checks import declared_checks
from meshforensics.model import UnknownNameError


def listing() -> str:
    """One line a check: id, severity or threshold, title."""
    lines = [
        f"{each.id:<36}{(each.severity.value if each.severity else 'by threshold'):<14}{each.title}"
        for each in declared_checks().values()
    ]
    return "\n".join(lines) + "\n"


def declaration(name: str) -> str:
    """Everything that the check `name` declares.

    Raises:
        UnknownNameError: no such check.
    """
    known = declared_checks()
    if name not in known:
        raise UnknownNameError("check", name, known)
    each = known[name]
    facts = {
        "title": each.title,
        "phase": each.phase.value,
        "plane": each.plane.value,
        "severity": each.severity.value if each.severity else f"by threshold {each.threshold}",
        "reads": ", ".join(parameter.name for parameter in each.parameters),
        "says": each.detail,
        "remediation": each.remediation,
        "source": each.source,
    }
    lines = [textwrap.fill(f"{key + ':':<13}{value}", 98, subsequent_indent=" " * 13) for key, value in facts.items()]
    return "\n".join([name, *lines]) + "\n"
