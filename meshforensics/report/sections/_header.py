"""The head of a report: a sentence that states the cause, and four facts."""

from meshforensics.model import Standing
from meshforensics.report._blocks import Break, Code, Content, Facts, Phrase
from meshforensics.report._case import Case, focus
from meshforensics.report._words import count, instant, listed, sentence, short_hash, size
from meshforensics.report.sections._section import section
from meshforensics.tables import text, texts


def headline(case: Case, incident: str = "") -> str:
    """The sentence that a report is called by."""
    hypothesis = focus(case, incident)
    said = sentence(hypothesis.summary) or hypothesis.incident
    if hypothesis.status == Standing.SUPPORTED:
        return said
    if hypothesis.status == Standing.POSSIBLE:
        return f"Possible, not proven: {said}"
    if hypothesis.status == Standing.REFUTED:
        return f"{hypothesis.incident} is refuted by what was captured"
    if incident and hypothesis.incident == incident:
        return f"What was captured does not decide whether this is {incident}"
    return "What was captured does not decide the cause"


@section
def header(case: Case, incident: str = "") -> Content:
    """What happened in one sentence; bundle, instant, mesh, capture."""
    return Content(
        anchor="report",
        title=headline(case, incident),
        level=1,
        blocks=(
            Facts(
                wide=True,
                pairs=(
                    ("Bundle", _bundle(case)),
                    ("As of", _as_of(case)),
                    ("Mesh", _mesh(case)),
                    ("Captured", _captured(case)),
                ),
            ),
        ),
    )


def _bundle(case: Case) -> Phrase:
    items = case.bundle.items
    held = sum(item.bytes or 0 for item in items)
    return (Code(f"sha256 {short_hash(case.bundle.id)}"), Break(), f"{count(len(items), 'item')}, {size(held)}")


def _as_of(case: Case) -> Phrase:
    if case.at is None:
        return ("unknown", Break(), "nothing in the evidence tells when it was captured")
    same = case.at == case.bundle.at
    return (
        instant(case.at),
        Break(),
        "end of the capture" if same else f"asked for; captured {instant(case.bundle.at)}",
    )


def _mesh(case: Case) -> Phrase:
    proxies = case.frame("proxies")
    named = case.bundle.mesh if case.bundle.mesh not in {"", "-"} else "name not captured"
    if proxies.empty:
        return (named, Break(), "no proxy captured")
    versions = [
        f"{product} {listed(sorted(set(texts(proxies[column])) - {''}), 3)}"
        for product, column in (("Istio", "version"), ("Envoy", "build"))
        if (text(proxies[column]) != "").any()
    ]
    return (named, Break(), ", ".join([count(len(proxies), "proxy"), *versions]))


def _captured(case: Case) -> Phrase:
    start, end = case.bundle.window
    if start is None or end is None:
        return "capture time unknown"
    instants = {item.captured_at for item in case.bundle.items if item.captured_at}
    if start == end:
        return (instant(start), Break(), "one instant")
    return (instant(start), Break(), f"to {instant(end)}, {count(len(instants), 'instant')}")
