"""Judge an incident that shows as calls failing in one way."""

from collections.abc import Sequence

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, Proxy, Test
from meshforensics.incidents._evidence import (
    edges_in_words,
    failed_by,
    first_at,
    how_many,
    impact_of,
    missing,
    recent_calls,
    refused_by_servers,
    shown,
    unexplained,
    unheard,
)
from meshforensics.model import format_time
from meshforensics.model.words import count_of
from meshforensics.tables import keys, texts


def by_family(
    case: Case,
    families: Sequence[str],
    *,
    what: str,
    next_step: str,
    extra: Sequence[Test] = (),
    at_server: bool = False,
    also: Sequence[str] = (),
    beside: str = "",
) -> Judgement:
    """A judgement whose first test is that calls fail in this way inside the window.

    Fewer failed calls than the profile's minimum can at most make it possible. With `at_server`, calls that
    the server's own proxy refused in this way count where no caller's proxy did. `also` are subjects beside
    callers and hosts, and `beside` a sentence on them.
    """
    failed = failed_by(case, families)
    if at_server and failed.empty:
        failed = refused_by_servers(case, families)
    return by_calls(case, failed, what=what, next_step=next_step, extra=extra, also=also, why=beside)


def by_calls(
    case: Case,
    failed: pd.DataFrame,
    *,
    what: str,
    next_step: str,
    extra: Sequence[Test] = (),
    also: Sequence[str] = (),
    why: str = "",
) -> Judgement:
    """A judgement on these failed calls.

    Args:
        also: subjects beside the callers and the hosts, such as servers and objects.
        why: a sentence that the summary adds.
    """
    onset = first_at(failed)
    since = f" since {format_time(onset)}" if onset else ""
    return Judgement(
        tests=(calls_fail(case, failed, what), *extra),
        subjects=tuple(dict.fromkeys((*callers(failed), *also))) if len(failed) else (),
        onset=onset,
        mechanism=what,
        summary=f"{count_of(how_many(failed), 'call fails', 'calls fail')}{since}, {what}: "
        f"{edges_in_words(failed)}.{why and ' ' + why}"
        if len(failed)
        else "",
        next=next_step,
        impact=impact_of(case, failed),
        explained=how_many(failed),
    )


def calls_fail(case: Case, failed: pd.DataFrame, what: str) -> Test:
    """The test that calls were seen failing in this way; a log of no failure speaks against it."""
    calls = recent_calls(case)
    heard = bool(len(calls))
    logged = not case.source.reason("calls") and bool(len(calls))
    silent = [] if logged else unheard(case)
    clear = heard and not silent and unexplained(case).empty
    return Test(
        name="calls-seen-failing",
        role="necessary",
        passed=True if len(failed) else (False if clear else None),
        thin=how_many(failed) < case.profile.number("incident-calls"),
        text=f"{count_of(how_many(failed), 'call')} failed, {what}: {edges_in_words(failed)}"
        if len(failed)
        else f"no call of the window failed this way ({what})"
        if clear
        else untold(case, silent),
        check="traffic.server-errors",
        evidence=shown(case, failed),
        missing=missing(case, "calls", "log.istio-proxy") if not len(failed) and not clear else (),
    )


def untold(case: Case, silent: list[Proxy]) -> str:
    """Why it is not known how calls ended."""
    vague = unexplained(case)
    if len(vague):
        return f"{count_of(how_many(vague), 'call')} failed for a reason that no counter tells, and no log"
    if not silent:
        return case.source.reason("calls") or "no call was seen in the window"
    first = "/".join(silent[0])
    return f"how the calls of {count_of(len(silent), 'proxy')} ended is told by no log and no counter, {first} first"


def callers(failed: pd.DataFrame) -> tuple[str, ...]:
    """The pods that called and the hosts that they called, pods first."""
    pods = sorted({f"{namespace}/{pod}" for namespace, pod in keys(failed, "namespace", "pod")})
    return (*pods, *sorted(set(texts(failed["host"])) - {""}))
