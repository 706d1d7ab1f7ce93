"""A rule of the mesh answers 429 (RL)."""

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._families import by_family


@incident("rate-limited", about="A rule of the mesh answers 429 (RL).", precedence=15)
def rate_limited(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged."""
    return by_family(
        case,
        ("rate-limited",),
        what="a rate limit of the mesh refuses them",
        next_step="Find the rule and the caller that spends it.",
    )
