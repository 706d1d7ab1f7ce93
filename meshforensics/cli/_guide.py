"""Print the guide's commands as they are right today."""

import textwrap
from collections.abc import Iterable

from meshforensics.guide import Claim, Setting, Topic, claims, declared_topics
from meshforensics.recovery import PLACEHOLDERS, Command, Manifest, Part, stands_in
from meshforensics.report.plain_text import plain

WIDTH = 100


def overview(setting: Setting, about: str) -> str:
    """Every topic with its first command."""
    lines = [plain(about), ""]
    for topic in declared_topics().values():
        commands = [part for part in topic.make(setting) if isinstance(part, Command) and part.words[0] != "umask"]
        lines += [f"{topic.id:<22}{topic.about}", f"    {plain(commands[0].shell)}"]
    lines += ["", "meshforensics guide TOPIC prints a topic whole, and what the guide says of it."]
    return "\n".join(lines) + "\n"


def whole(topic: Topic, setting: Setting, about: str) -> str:
    """A topic with its commands and manifests, the placeholders in them, and what the guide claims."""
    parts = topic.make(setting)
    blocks = [
        [f"{topic.id}: {topic.about}", *_wrapped(f"In the guide: {topic.source}. {about}")],
        *(_lines(part) for part in parts),
        _fill(parts),
        _claimed(topic.claims),
    ]
    return "\n".join(line for block in _joined(blocks) for line in block) + "\n"


def _joined(blocks: Iterable[list[str]]) -> list[list[str]]:
    """An empty line where a file or a sentence begins or ends; commands stand together."""
    made: list[list[str]] = []
    for block in blocks:
        if not block:
            continue
        alone = len(block) > 1 or block[0].startswith("# ")
        before = made and (alone or len(made[-1]) > 1 or made[-1][0].startswith("# "))
        made += [[""], block] if before else [block]
    return made


def _lines(part: Part) -> list[str]:
    if isinstance(part, str):
        return [f"# {line}" for line in _wrapped(part)]
    if isinstance(part, Manifest):
        head = [f"# {part.about}"] if part.about else []
        return [*head, *(plain(line) for line in part.shell.splitlines())]
    return [plain(part.shell) + (f"    # {part.about}" if part.about else "")]


def _fill(parts: Iterable[Part]) -> list[str]:
    texts = "\n".join(part if isinstance(part, str) else part.shell for part in parts)
    names = stands_in(texts)
    if not names:
        return []
    return [
        "Fill in; pasted as they are these reach nothing:",
        *(f"  {name:<10}{PLACEHOLDERS[name]}" for name in names),
    ]


def _claimed(numbers: Iterable[str]) -> list[str]:
    known = claims()
    lines = ["What the guide says of it"]
    for number in numbers:
        lines += _claim(known[number])
    return lines


def _claim(claim: Claim) -> list[str]:
    said = f"{claim.verdict.upper()}: {claim.says}"
    return [
        *textwrap.wrap(said, WIDTH, initial_indent=f"  {claim.number:<6}", subsequent_indent=" " * 8),
        *textwrap.wrap(claim.right, WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 8),
    ]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(plain(text), WIDTH - 2, break_on_hyphens=False)
