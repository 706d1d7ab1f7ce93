"""No incident: said only where everything that would show one was captured and is clear."""

from collections.abc import Iterator

from meshforensics.incidents._declare import Case, Judgement, Proxy, Test, incident
from meshforensics.incidents._evidence import (
    how_many,
    known_proxies,
    lists_all_pods,
    missing,
    recent_calls,
    unheard,
    without,
)
from meshforensics.model import Severity, Standing
from meshforensics.model.words import count_of
from meshforensics.tables import keys, texts, true
from meshforensics.tables.counted_calls import REFUSED

_NOT_JUDGED = ("linkerd-proxy", "ztunnel", "cilium-envoy", "kuma-sidecar")
_NEEDED = (
    ("listener_instances", "envoy.config_dump"),
    ("certificates", "envoy.certs"),
    ("xds_sync", "istiod.syncz"),
    ("memory", "envoy.memory"),
)


@incident("healthy", about="Nothing is wrong, and enough was captured to say so.", precedence=0)
def healthy(case: Case) -> Judgement:
    """Missing evidence is not health: with any of it missing this is undetermined, never possible."""
    calls = recent_calls(case)
    bad = how_many(calls[true(calls["failed"], missing=False)])
    return Judgement(
        tests=(_error(case), _other(case), _enough(case)),
        summary=f"No incident: {_heard(bad, how_many(calls))}, no finding is of severity error.",
        next="Nothing to do. Keep this bundle as the baseline of the next incident.",
    )


def _heard(bad: int, total: int) -> str:
    return f"{bad} of {count_of(total, 'call')} in the window failed" if total else "no call was seen in the window"


def _error(case: Case) -> Test:
    bad = [each for each in case.findings if each.severity in {Severity.CRITICAL, Severity.ERROR} and not each.muted]
    return Test(
        name="finding-of-error",
        role="refutes",
        passed=bool(bad),
        text=f"{count_of(len(bad), 'finding')} of severity error or worse: "
        f"{', '.join(sorted({each.check for each in bad}))}"
        if bad
        else "no finding is of severity error",
        evidence=tuple(place for each in bad[:3] for place in each.evidence[:1]),
    )


def _other(case: Case) -> Test:
    others = [each for each in case.others if each.status in {Standing.SUPPORTED, Standing.POSSIBLE}]
    return Test(
        name="other-hypothesis",
        role="refutes",
        passed=bool(others),
        text=", ".join(f"{each.incident} is {each.status}" for each in others) or "no other hypothesis stands",
    )


def _enough(case: Case) -> Test:
    """Every known proxy has a dump, certificates, a sync record, memory, and stats or a log; and each is judged."""
    lacking = list(_lacking(case))
    count = len(known_proxies(case))
    needed = [each for table, kind in (("pods", "kubernetes.pods"), *_NEEDED) for each in missing(case, table, kind)]
    return Test(
        name="enough-captured",
        role="necessary",
        passed=None if lacking else True,
        text="; ".join(lacking)
        or f"each of {count_of(count, 'proxy')} has a dump, certificates, a sync record, memory, and stats or a log",
        missing=tuple(needed) if lacking else (),
    )


def _lacking(case: Case) -> Iterator[str]:
    if case.at is None:
        yield "capture time unknown, give --at"
    if not lists_all_pods(case):
        yield f"which proxies there are is not known: {case.source.reason('pods') or 'no list of all pods'}"
    if not known_proxies(case):
        yield "no proxy is known"
    for table, kind in _NEEDED:
        lacking = without(case, table)
        if lacking:
            yield f"{kind} of {count_of(len(lacking), 'proxy')} was not captured, {'/'.join(lacking[0])} first"
    silent = sorted(set(without(case, "stats")) & set(without(case, "log_coverage")))
    if silent:
        yield f"{count_of(len(silent), 'proxy has', 'proxies have')} neither stats nor log, {'/'.join(silent[0])} first"
    unknown = [proxy for proxy in unheard(case) if proxy not in silent]
    if unknown:
        yield (
            f"how the calls of {count_of(len(unknown), 'proxy')} ended is told by no access log and by no "
            "counter of the window, "
            f"{'/'.join(unknown[0])} first"
        )
    undated = dict(_undated_failures(case))
    if undated:
        proxy = min(undated)
        yield (
            f"{count_of(len(undated), 'proxy has', 'proxies have')} no log, and counters show failures since "
            f"start: {undated[proxy]} "
            f"at {'/'.join(proxy)}"
        )
    containers = case.source.frame("containers")
    foreign = containers[containers["container"].isin(_NOT_JUDGED)]
    if len(foreign):
        yield (
            f"{count_of(len(set(keys(foreign, 'namespace', 'pod'))), 'proxy is', 'proxies are')} of a kind that "
            "is not judged yet: " + ", ".join(sorted(set(texts(foreign["container"]))))
        )


def _undated_failures(case: Case) -> Iterator[tuple[Proxy, str]]:
    """The proxies without a log whose counters show that what they took failed, so that no one can say it is over."""
    spans = case.source.over_time("counted_calls")
    aside = spans[true(spans["aside"], missing=False)]
    logged = set(keys(case.source.frame("log_coverage"), "namespace", "pod"))
    level = case.profile.threshold("traffic.response-5xx-share").levels["warning"]
    fewest = case.profile.number("incident-calls")
    numbers: dict[Proxy, dict[str, int]] = {}
    failing = true(aside["failed"], missing=False)
    ended = zip(keys(aside, "namespace", "pod", "family"), failing, aside["calls"].fillna(0), strict=True)
    for (namespace, pod, family), failed, calls in ended:
        of = numbers.setdefault((namespace, pod), {"failed": 0, "total": 0, REFUSED: 0})
        for name in [REFUSED] if family == REFUSED else ["total", *(["failed"] if failed else [])]:
            of[name] += int(calls)
    for proxy, of in numbers.items():
        if proxy not in logged and of["failed"] >= fewest and of["failed"] > level * of["total"]:
            yield proxy, f"{of['failed']} of {count_of(of['total'], 'request')} failed"
        elif proxy not in logged and of[REFUSED] >= fewest:
            yield proxy, f"{count_of(of[REFUSED], 'connection was', 'connections were')} refused"
