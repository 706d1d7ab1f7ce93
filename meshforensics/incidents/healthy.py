"""No incident: said only where everything that would show one was captured and is clear."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from meshforensics.incidents._declare import Case, Judgement, Proxy, Test, incident
from meshforensics.incidents._evidence import (
    how_many,
    known_proxies,
    lists_all_pods,
    missing,
    of_linkerd,
    recent_calls,
    unheard,
    without,
)
from meshforensics.model import Severity, Standing
from meshforensics.model.words import count_of
from meshforensics.tables import keys, text, texts, true
from meshforensics.tables.counted_calls import REFUSED

_NOT_JUDGED = ("ztunnel", "cilium-envoy", "kuma-sidecar")
_ENDS_OF_LINKERD = ("identity_cert_expiration_timestamp_seconds",)
_MAKERS_OF_LINKERD = '"linkerd.io/control-plane-component"'
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
    """Every known Envoy has a dump, certificates, a sync record, memory, and stats or a log; and each is judged."""
    lacking, linkerd = list(_lacking(case)), of_linkerd(case)
    envoys = known_proxies(case) - linkerd
    asked = (("pods", "kubernetes.pods"), *(_NEEDED if envoys else ()))
    needed = [each for table, kind in asked for each in missing(case, table, kind)]
    has, tells = (f"each of {count_of(len(each), 'proxy')}" for each in (envoys, linkerd))
    whole = [
        *([f"{has} has a dump, certificates, a sync record, memory, and stats or a log"] if envoys else ()),
        *([f"{tells} of Linkerd tells of its calls, its certificate and its memory"] if linkerd else ()),
    ]
    return Test(
        name="enough-captured",
        role="necessary",
        passed=None if lacking else True,
        text="; ".join(lacking or whole),
        missing=tuple(needed) if lacking else (),
    )


def _lacking(case: Case) -> Iterator[str]:
    if case.at is None:
        yield "capture time unknown, give --at"
    if not lists_all_pods(case):
        yield f"which proxies there are is not known: {case.source.reason('pods') or 'no list of all pods'}"
    if not known_proxies(case):
        yield "no proxy is known"
    linkerd = of_linkerd(case)
    for table, kind in _NEEDED:
        lacking = [proxy for proxy in without(case, table) if proxy not in linkerd]
        if lacking:
            yield f"{kind} of {count_of(len(lacking), 'proxy')} was not captured, {'/'.join(lacking[0])} first"
    silent = sorted(set(without(case, "stats")) & set(without(case, "log_coverage")))
    if silent:
        yield f"{count_of(len(silent), 'proxy has', 'proxies have')} neither stats nor log, {'/'.join(silent[0])} first"
    counting = linkerd & set(keys(case.source.over_time("counted_calls"), "namespace", "pod"))
    unknown = [proxy for proxy in unheard(case) if proxy not in silent and proxy not in counting]
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
            f"{count_of(len(undated), 'proxy has', 'proxies have')} no log of requests, and counters show failures "
            f"since start: {undated[proxy]} at {'/'.join(proxy)}"
        )
    yield from _lacking_of_linkerd(case, linkerd)
    containers = case.source.frame("containers")
    foreign = containers[containers["container"].isin(_NOT_JUDGED)]
    if len(foreign):
        yield (
            f"{count_of(len(set(keys(foreign, 'namespace', 'pod'))), 'proxy is', 'proxies are')} of a kind that "
            "is not judged yet: " + ", ".join(sorted(set(texts(foreign["container"]))))
        )


def _lacking_of_linkerd(case: Case, linkerd: frozenset[Proxy]) -> Iterator[str]:
    """Of Linkerd: what it verifies and signs by, what each proxy says of its certificate and uses, its makers."""
    if not linkerd:
        return
    places = set(texts(case.source.frame("certificates")["place"]))
    for kept in ("configmap:{}/linkerd-identity-trust-roots", "secret:{}/linkerd-identity-issuer"):
        if not any(fnmatchcase(place, kept.format("*")) for place in places):
            yield f"{kept.format('linkerd')} was not captured"
    stats, usage = case.source.frame("stats"), case.source.frame("usage")
    said = set(keys(stats[stats["name"].isin(_ENDS_OF_LINKERD)], "namespace", "pod"))
    used = set(keys(usage[usage["container"] == "linkerd-proxy"], "namespace", "pod"))
    for told, what in ((said, "the end of the certificate of"), (used, "what memory is used by")):
        if silent := sorted(linkerd - told):
            yield f"{what} {count_of(len(silent), 'proxy')} of Linkerd is not told, {'/'.join(silent[0])} first"
    pods = case.source.frame("pods")
    if not text(pods["labels"]).str.contains(_MAKERS_OF_LINKERD, regex=False).any():
        yield "the pods of Linkerd's control plane were not captured"


def _undated_failures(case: Case) -> Iterator[tuple[Proxy, str]]:
    """The proxies without a log whose counters show that what they took failed, so that no one can say it is over."""
    spans = case.source.over_time("counted_calls")
    aside = spans[true(spans["aside"], missing=False)]
    logged = set(keys(case.source.frame("log_coverage"), "namespace", "pod")) - of_linkerd(case)  # it logs no request
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
