"""Redaction: what must never reach the disk is replaced in the bytes, span by span.

The rest of the bytes stays as received; lines stay where they were. A rule never matches its own output, so
redacting twice changes nothing. Certificates are public and are never touched.
"""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property

from meshforensics.bundle._hosts import hosts_replaced
from meshforensics.bundle._rules import RULES, Rule
from meshforensics.bundle._secret_objects import secret_spans

_MARK = b"[redacted:"
_NAME = re.compile(rb"[A-Za-z0-9_.-]*")
_OUTSIDE = re.compile(r"(envoy/)(.+)(-\d+)")
"""The subject of a proxy in no cluster: host and port."""
_LONGEST = 80
"""No name of a credential is longer."""


class Redactor:
    """Applies the rules with one key, so that equal secrets have equal pseudonyms in one bundle."""

    def __init__(self, key: bytes | Callable[[], bytes], *, hosts: bool = False) -> None:
        self._given = key
        self._hosts = hosts

    @cached_property
    def _key(self) -> bytes:
        """The key, made when it is first needed: one that is slow to make is not made where nothing is secret."""
        return self._given if isinstance(self._given, bytes) else self._given()

    def redact(self, payload: bytes) -> tuple[bytes, dict[str, int]]:
        """The payload without secrets, and how many spans each rule replaced."""
        counts: Counter[str] = Counter()
        if b"Secret" in payload:
            payload = self._replaced("secret-value", payload, secret_spans(payload), counts)
        places = _Places(payload)
        for rule in RULES:
            payload = self._replaced(rule.name, payload, _spans(rule, payload, places.of(rule.words)), counts)
            if payload is not places.payload:
                places = _Places(payload)
        if self._hosts:
            payload = hosts_replaced(payload, self._key, counts)
        return payload, dict(counts)

    def name(self, text: str) -> str:
        """The name of something without the hosts in it, where hosts are replaced.

        >>> Redactor(b"key", hosts=True).name("envoy/10.1.2.3-15000")
        'envoy/240.165.201.200-15000'
        """
        if not self._hosts:
            return text
        named = _OUTSIDE.fullmatch(text)
        before, host, after = named.groups() if named else ("", text, "")
        return before + hosts_replaced(host.encode(), self._key, Counter()).decode() + after

    def pseudonym(self, rule: str, value: bytes) -> bytes:
        """What stands for `value`: the same for the same value and key."""
        digest = hmac.new(self._key, value, hashlib.sha256).hexdigest()[:12]
        return b"[redacted:%s:%s]" % (rule.encode(), digest.encode())

    def _replaced(self, rule: str, payload: bytes, spans: Iterator[tuple[int, int]], counts: Counter[str]) -> bytes:
        """The payload with spans replaced; the same object where there is none."""
        made: list[bytes] = []
        done = 0
        for start, end in spans:
            value = payload[start:end]
            if _MARK in value or start < done:
                continue
            made += [payload[done:start], self._in_place(rule, value)]
            done = end
            counts[rule] += 1
        return b"".join((*made, payload[done:])) if made else payload

    def _in_place(self, rule: str, value: bytes) -> bytes:
        """The pseudonym, followed by the line ends of the value, so that no line moves."""
        real = re.findall(rb"\r?\n[ \t]*", value)
        escaped = re.findall(rb"\\r\\n|\\n", value) if not real else []
        return self.pseudonym(rule, value.strip()) + b"".join(real or escaped)


class _Places:
    """Where words stand in a payload; each is looked for once."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self._lowered = payload.lower()
        self._known: dict[tuple[bytes, ...], list[int]] = {}

    def of(self, words: tuple[bytes, ...]) -> list[int]:
        """Where any of the words stands, sorted."""
        if words not in self._known:
            self._known[words] = sorted({at for word in words for at in _found(word, self._lowered)})
        return self._known[words]


def _found(word: bytes, lowered: bytes) -> Iterator[int]:
    at = lowered.find(word)
    while at >= 0:
        yield at
        at = lowered.find(word, at + 1)


def _spans(rule: Rule, payload: bytes, places: list[int]) -> Iterator[tuple[int, int]]:
    """Where a rule finds secrets, in order."""
    done = 0
    for at in places:
        if at < done:
            continue
        found = rule.pattern.match(payload, at)
        if not found or not found.lastindex or rule.keep(found[found.lastindex]):
            continue
        if _in_mark(payload, at) or (rule.whole and not _named(rule.whole, payload, at)):
            continue
        yield found.span(found.lastindex)
        done = found.end(found.lastindex)


def _in_mark(payload: bytes, at: int) -> bool:
    """Whether a place is inside a pseudonym."""
    mark = payload.rfind(_MARK, max(0, at - _LONGEST), at)
    return mark >= 0 and payload.find(b"]", mark, at) < 0


def _named(whole: re.Pattern[bytes], payload: bytes, at: int) -> bool:
    """Whether the name around a place is as a rule wants it; an escaped line end before it is no part of it."""
    end = _NAME.match(payload, at)
    assert end is not None
    start = at
    while start and at - start < _LONGEST and _is_of_name(payload[start - 1]):
        start -= 1
    if start < at and payload[start - 1 : start] == b"\\" and payload[start : start + 1] in (b"n", b"r", b"t"):
        start += 1
    return whole.fullmatch(payload, start, end.end()) is not None


_OF_NAME = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")


def _is_of_name(byte: int) -> bool:
    return byte in _OF_NAME
