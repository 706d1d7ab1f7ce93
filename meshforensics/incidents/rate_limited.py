"""A rate limit of the mesh refuses calls."""

from meshforensics.incidents._declare import Case, Judgement, incident
from meshforensics.incidents._evidence import failed_by, refused_by_servers
from meshforensics.incidents._families import by_family
from meshforensics.tables import keys, text, texts

FAMILIES = ("rate-limited",)
_ROOT = "istio-system"


@incident("rate-limited", about="A rule of the mesh answers 429 (RL).", precedence=15)
def rate_limited(case: Case) -> Judgement:
    """The limit may stand at the server, whose own log then says so; the caller sees a 429 passed on."""
    rules = _rules(case)
    return by_family(
        case,
        FAMILIES,
        what="a rate limit of the mesh refuses them",
        next_step="Find the rule and the caller that spends it.",
        at_server=True,
        also=rules,
        beside=f"Rules that limit rates there: {', '.join(rules)}." if rules else "",
    )


def _rules(case: Case) -> tuple[str, ...]:
    """The EnvoyFilters with a rate limit that may apply to the proxies that refused."""
    failed = failed_by(case, FAMILIES)
    refused = failed if len(failed) else refused_by_servers(case, FAMILIES)
    spaces = {namespace for (namespace,) in keys(refused, "namespace")}
    config = case.source.frame("config")
    here = config[(config["kind"] == "EnvoyFilter") & text(config["namespace"]).isin([*spaces, _ROOT])]
    limits = here[text(here["spec"]).str.contains("ratelimit", regex=False)]
    return tuple(sorted(set(texts(limits["object"])))) if spaces else ()
