"""The pages docs/guide.md and docs/guide-differences.md, from the topics and the claims."""

from itertools import groupby

from meshforensics.guide import Claim, Topic, claims, declared_topics, general_setting
from meshforensics.profile import load_profile
from meshforensics.recovery import Command, Manifest, Part
from tools import commands
from tools.recovery_page import cell

GUIDE = """\
`meshforensics guide TOPIC` prints the debugging guide's commands and manifests in the form that is right today, and
what the guide has wrong or invented below it. `--bundle PATH` takes names, versions and namespaces from a bundle: pods,
callers, labels, the VirtualService and DestinationRule that a service has (which are saved, then added to, never
replaced by a second one), API versions, forms of `istioctl`. `--service NS/NAME` says for which service. Without a
bundle names are words in capitals, which no object can be called. Nothing is ever run."""

DIFFERENCES = """\
The project began from a debugging guide. This page goes through it line by line: what it says, in short words of ours,
whether that is so, what is right, where that can be read, and what here does the right thing. *Invented* never existed
in any release that was searched (Istio 1.4 to 1.20, and its main branch of August 2026); *unsourced* is a number that
nobody published; *outdated* was so once. The same text stands below the commands that `meshforensics guide` prints."""

SECTIONS = {
    "0": "What changes the design",
    "1": "Overview, symptoms, messages",
    "2": "The diagram",
    "3": "Phase 1: proxies and control plane",
    "4": "Phase 2: traffic",
    "5": "Phase 3: certificates and access",
    "6": "The monitoring configuration",
    "7": "The memory-leak script",
    "8": "The VirtualService template and the recovery diagram",
    "9": "Emergency and advanced recovery",
    "10": "Anti-patterns and quick reference",
    "11": "Alerts",
    "12": "Linkerd",
    "13": "Other commands and fields",
}
UNCHECKED = """\
A real `kubectl` checks what it can of these commands against a [replay](replay.md) of a shipped capture, as it does for
[recovery](recovery.md). Beginnings of commands that nothing here answers, so that no test runs them:"""


def guide(note: str) -> str:
    """Every topic in its general form."""
    setting, _ = general_setting("", load_profile())
    topics = declared_topics().values()
    made = {topic.id: topic.make(setting) for topic in topics}
    unchecked = commands.unchecked(commands.commands_of(part for parts in made.values() for part in parts))
    parts = [
        "# The guide's commands, as they are right today",
        note,
        GUIDE,
        *(_topic(topic, made[topic.id]) for topic in topics),
        "## What of the commands is checked",
        UNCHECKED,
        "\n".join(f"- `{each}`" for each in unchecked),
    ]
    return "\n\n".join(parts) + "\n"


def _topic(topic: Topic, parts: tuple[Part, ...]) -> str:
    shown = "\n".join(line for part in parts for line in _lines(part))
    numbers = ", ".join(f"[{each}](guide-differences.md#{_section(each)})" for each in topic.claims)
    head = f"{topic.about}. In the guide: {topic.source}; what it says of it: {numbers}."
    return f"## {topic.id}\n\n{head}\n\n```sh\n{shown}\n```"


def _lines(part: Part) -> list[str]:
    if isinstance(part, str):
        return [f"# {part}"]
    if isinstance(part, Manifest):
        return part.shell.splitlines()
    about = f"  # {part.about}" if isinstance(part, Command) and part.about else ""
    return [f"{part.shell}{about}"]


def _section(number: str) -> str:
    title = SECTIONS[number.partition(".")[0]]
    return "".join(each for each in title.lower().replace(" ", "-") if each.isalnum() or each == "-")


def differences(note: str) -> str:
    """Every claim with what is so."""
    known = claims().values()
    parts = ["# Where we differ from the guide", note, DIFFERENCES, _count()]
    for section, group in groupby(known, key=lambda claim: claim.number.partition(".")[0]):
        head = "| # | the guide | | what is so | here |\n|---|---|---|---|---|"
        parts += [f"## {SECTIONS[section]}", "\n".join([head, *map(_row, group)])]
    return "\n\n".join(parts) + "\n"


def _count() -> str:
    every = list(claims().values())
    counted = {verdict: sum(claim.verdict == verdict for claim in every) for verdict in
               ("right", "partly", "outdated", "wrong", "invented", "unsourced", "dangerous")}  # fmt: skip
    return f"Of {len(every)} claims " + ", ".join(f"{number} {verdict}" for verdict, number in counted.items()) + "."


def _row(claim: Claim) -> str:
    source = f" *{cell(claim.source)}*" if claim.source else ""
    says = f"{cell(claim.says)} ({cell(claim.place)})"
    here = ", ".join(map(link, claim.see))
    return f"| {claim.number} | {says} | {claim.verdict} | {cell(claim.right)}{source} | {here} |"


def link(see: str) -> str:
    """A link to what a claim names."""
    kind, _, name = see.partition(":")
    anchor = "".join(each for each in name.lower() if each.isalnum() or each in "-_")
    target = {
        "check": f"checks.md#{anchor}",
        "table": f"tables.md#{anchor}",
        "alert": f"alerts.md#{anchor}",
        "guide": f"guide.md#{anchor}",
        "command": f"cli.md#{anchor}",
        "incident": "incidents.md",
        "recover": "recovery.md#steps",
        "docs": f"{name}.md",
    }[kind]
    shown = name if kind in {"check", "table", "incident", "docs"} else f"{kind} {name}"
    return f"[{shown}]({target})"
