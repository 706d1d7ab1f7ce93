"""The allocator keeps memory that nothing uses: heap far above what is live."""

import pandas as pd

from meshforensics.checks.proxies_memory import retained
from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import complete, missing, shown, subjects_of
from meshforensics.incidents._growers import growers
from meshforensics.model.words import count_of, noun


@incident(
    "memory-retention",
    about="Heap far above live memory, which does not grow.",
    precedence=13,
    notebook="memory_leak",
)
def memory_retention(case: Case) -> Judgement:
    """More than half of a heap over 200 MiB is not live (istio#22939 showed 99 %)."""
    memory = case.source.frame("memory")
    held = retained(memory, case.profile)
    kept = Test(
        name="heap-far-above-live",
        role="necessary",
        passed=True if len(held) else (False if complete(case, "memory") else None),
        text=f"{len(held)} of {count_of(len(memory), 'proxy')} {noun(len(held), 'holds', 'hold')} more than "
        "half of a heap over 200 MiB that is not live",
        check="proxies.memory-retained",
        evidence=shown(case, held),
        missing=missing(case, "memory", "envoy.memory"),
    )
    return Judgement(
        tests=(kept, _flat(case, held)),
        subjects=subjects_of(held),
        mechanism="allocator retention",
        summary="; ".join(each.detail for each in case.found("proxies.memory-retained")[:2]),
        next="Nothing urgent: the limit counts it, a restart returns it; look for the peak that made it.",
    )


def _flat(case: Case, held: pd.DataFrame) -> Test:
    """One sample shows a heap, and not whether what is live in it grows."""
    growing = {each.subject for each in growers(case)} & set(subjects_of(held))
    followed = case.source.over_time("growth")
    series = followed[followed["samples"] >= case.profile.number("memory.samples")]
    known = set(subjects_of(held)) & set(subjects_of(series))
    return Test(
        name="live-memory-flat",
        role="necessary",
        passed=False if growing else (True if known else None),
        text=f"live memory of {', '.join(sorted(growing))} grows"
        if growing
        else (f"live memory does not grow over {len(known)} series" if known else "no series: one sample has no trend"),
        check="proxies.memory-grows",
    )
