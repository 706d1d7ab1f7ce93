"""No incident: said only where everything that would show one was captured and is clear."""

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import known_proxies, missing, recent_calls, without
from meshforensics.model import Severity, Standing
from meshforensics.tables import keys, text, true

_NEEDED = (
    ("listener_instances", "envoy.config_dump"),
    ("certificates", "envoy.certs"),
    ("xds_sync", "istiod.syncz"),
)


@incident("healthy", about="Nothing is wrong, and enough was captured to say so.", precedence=0)
def healthy(case: Case) -> Judgement:
    """Missing evidence is not health."""
    calls = recent_calls(case)
    bad = int(true(calls["failed"], missing=False).sum())
    return Judgement(
        tests=(_no_error(case), _no_other(case), _instant(case), *_everything(case), _all_kinds(case)),
        subjects=(),
        summary=f"No incident: {_heard(bad, len(calls))}, no finding is of severity error.",
        next="Nothing to do. Keep this bundle as the baseline of the next incident.",
    )


def _heard(bad: int, total: int) -> str:
    return f"{bad} of {total} calls in the window failed" if total else "no call was logged in the window"


def _no_error(case: Case) -> Test:
    bad = [each for each in case.findings if each.severity in {Severity.CRITICAL, Severity.ERROR} and not each.muted]
    return Test(
        name="no-finding-of-error",
        role="necessary",
        passed=not bad,
        text=f"{len(bad)} findings of severity error or worse: {', '.join(sorted({each.check for each in bad}))}"
        if bad
        else "no finding is of severity error",
        evidence=tuple(place for each in bad[:3] for place in each.evidence[:1]),
    )


def _no_other(case: Case) -> Test:
    others = [each for each in case.others if each.status in {Standing.SUPPORTED, Standing.POSSIBLE}]
    return Test(
        name="no-other-hypothesis",
        role="necessary",
        passed=not others,
        text=f"also {', '.join(f'{each.incident} {each.status}' for each in others)}"
        if others
        else "no other stands",
    )


def _instant(case: Case) -> Test:
    return Test(
        name="capture-time-known",
        role="necessary",
        passed=True if case.at else None,
        text="the capture time is known" if case.at else "capture time unknown, give --at",
    )


def _everything(case: Case) -> tuple[Test, ...]:
    """Every proxy of a whole list of pods; a description of some pods is no list."""
    pods = case.source.frame("pods")
    whole = text(pods["item"]).str.startswith(("kubernetes.pods:", "foreign.k8s-resources:"))
    if not whole.any():
        return (
            Test(
                name="every-proxy-captured",
                role="necessary",
                passed=None,
                text=f"which proxies there are is not known: {case.source.reason('pods') or 'no list of all pods'}",
                missing=missing(case, "pods", "kubernetes.pods"),
            ),
        )
    return (*(_each_has(case, table, kind) for table, kind in _NEEDED), _each_is_heard(case))


def _each_has(case: Case, table: str, kind: str) -> Test:
    lacking = without(case, table)
    count = len(known_proxies(case))
    return Test(
        name=f"every-proxy-has-{kind}",
        role="necessary",
        passed=True if count and not lacking else None,
        text=f"{kind}: {count - len(lacking)} of {count} proxies",
        missing=missing(case, table, kind) if lacking or not count else (),
    )


def _each_is_heard(case: Case) -> Test:
    """Stats or a log of every proxy."""
    silent = sorted(set(without(case, "stats")) & set(without(case, "log_coverage")))
    return Test(
        name="every-proxy-has-stats-or-log",
        role="necessary",
        passed=None if silent or not known_proxies(case) else True,
        text=f"{len(silent)} proxies have neither stats nor log" if silent else "every proxy has stats or a log",
        missing=missing(case, "stats", "envoy.stats_prometheus") if silent else (),
    )


def _all_kinds(case: Case) -> Test:
    """A kind of proxy that is not evaluated blocks the verdict."""
    containers = case.source.frame("containers")
    foreign = containers[
        text(containers["container"]).isin(["linkerd-proxy", "ztunnel", "cilium-envoy", "kuma-sidecar"])
    ]
    return Test(
        name="every-kind-evaluated",
        role="necessary",
        passed=None if len(foreign) else True,
        text=f"{len(set(keys(foreign, 'namespace', 'pod')))} proxies are of a kind that is not evaluated yet: "
        f"{', '.join(sorted(set(text(foreign['container']))))}"
        if len(foreign)
        else "every proxy is of a kind that is evaluated",
    )
