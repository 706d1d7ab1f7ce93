"""Live memory follows the request rate up and down."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import missing
from meshforensics.incidents._growers import TRAFFIC, Grower, came_down, growers, in_words, swingers, traffic_of
from meshforensics.incidents.memory_leak import grows
from meshforensics.model.words import count_of


@incident(
    "memory-traffic-growth",
    about="Live memory follows the request rate up and down.",
    precedence=14,
    notebook="memory_leak",
)
def memory_traffic_growth(case: Case) -> Judgement:
    """Growth that traffic explains; it is no cause where something grows that nothing explains."""
    grown = growers(case)
    swung = swingers(case)
    rose = {each.subject: each for each in grown if each.explained_by in TRAFFIC}
    mine = sorted({**rose, **{each.subject: each for each in swung}}.values(), key=lambda each: each.subject)
    return Judgement(
        tests=(grows(case, mine), _follows(case, mine, grown), _fell(mine), _leak(grown, swung)),
        subjects=tuple(each.subject for each in mine),
        onset=min((each.onset for each in mine), default=None),
        mechanism=traffic_of(case, mine[0]) if mine else "",
        summary="; ".join(in_words(each) for each in mine[:3]),
        next="Size the limit by peak traffic, or scale the workload.",
    )


def _follows(case: Case, mine: list[Grower], grown: list[Grower]) -> Test:
    """Where neither requests nor connections were captured, memory that comes and goes may be theirs."""
    said = [f"{each.subject} follows {driver}" for each in mine if (driver := traffic_of(case, each))]
    followed = bool(len(case.source.over_time("growth")))
    unknown = ", ".join(each.subject for each in mine)
    return Test(
        name="driver-explains-growth",
        role="necessary",
        passed=True if said else (False if grown and followed and not mine else None),
        text="; ".join(said)
        or (f"what the memory of {unknown} follows was not captured" if mine else "no memory follows traffic"),
        check="memory.drivers",
        missing=missing(case, "stats", "envoy.stats_prometheus") if mine and not said else (),
    )


def _fell(mine: list[Grower]) -> Test:
    """Only a fall with the traffic tells it from what piles up."""
    fallen = [each for each in mine if came_down(each)]
    return Test(
        name="memory-falls-with-traffic",
        role="confirms",
        passed=bool(fallen) if mine else None,
        text=f"{len(fallen)} of {count_of(len(mine), 'proxy')} gave most of their rise back",
        check="memory.drivers",
    )


def _leak(grown: list[Grower], swung: list[Grower]) -> Test:
    falling = {each.subject for each in swung}
    leaking = [each for each in grown if not each.explained_by and each.subject not in falling]
    return Test(
        name="unexplained-growth",
        role="refutes",
        passed=bool(leaking),
        text="; ".join(f"{each.subject} grows, and traffic does not explain it" for each in leaking)
        or "nothing grows that traffic does not explain",
        check="proxies.memory-grows",
    )
