"""A rate limit of the mesh refuses calls."""

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._families import by_family


@incident("rate-limited", about="A rule of the mesh answers 429 (RL).", precedence=15)
def rate_limited(case: Case) -> Judgement:
    """The limit may stand at the server, whose own log then says so; the caller sees a 429 passed on."""
    return by_family(
        case,
        ("rate-limited",),
        what="a rate limit of the mesh refuses them",
        next_step="Find the rule and the caller that spends it.",
        at_server=True,
    )
