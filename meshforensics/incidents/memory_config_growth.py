"""Live memory grows in step with configuration held or stats kept, and stays."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._growers import growers, in_words
from meshforensics.incidents.memory_leak import grows

EXPLAINED_BY = (
    "configuration",
    "series",
)


@incident(
    "memory-config-growth",
    about="Live memory grows in step with configuration held or stats kept, and stays.",
    precedence=14,
    notebook="memory_leak",
)
def memory_config_growth(case: Case) -> Judgement:
    """Growth that its driver explains; what nothing explains is memory-leak."""
    grown = growers(case)
    mine = [each for each in grown if each.explained_by in EXPLAINED_BY]
    explained = Test(
        name="driver-explains-growth",
        role="necessary",
        passed=True if mine else (False if grown else None),
        text="; ".join(f"{each.subject} follows {each.explained_by}" for each in mine) or "no growth follows it",
        check="memory.drivers",
    )
    return Judgement(
        tests=(grows(case, grown), explained),
        subjects=tuple(each.subject for each in mine),
        onset=min((each.onset for each in mine), default=None),
        mechanism=mine[0].explained_by if mine else "",
        summary="; ".join(in_words(each) for each in mine[:3]),
        next="Scope what proxies are sent (Sidecar resources), or the labels that make series.",
    )
