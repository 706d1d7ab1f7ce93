"""Redaction: what must never reach the disk is replaced in the bytes, span by span.

The rest of the bytes stays as received; lines stay where they were. A rule never matches its own output, so
redacting twice changes nothing. Certificates are public and are never touched.
"""

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

_MARK = b"[redacted:"
_KEY_LABEL = rb"(?:[A-Z0-9]+ )*PRIVATE KEY"
_B64 = rb"[A-Za-z0-9+/=]"
_PUBLIC_KEYS = rb"(?:ca-cert|root-cert|cert-chain|ca-crl)\.pem|(?:tls|ca|ca-bundle)\.crt|ca-bundle\.pem"

_PLAIN_VALUE = (
    rb"\[redacted:|[<{|>$]|/[a-z][\w.-]*/|(?:true|false|null|none|[\d.]+[a-z]{0,2}(?:[\d.]+[a-z]{1,2})*)(?![\w+/=-])"
)
"""What is no credential: our own marks, references (`<set to the key …>`), paths, switches, numbers and spans."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule: cheap literals that must occur, then the pattern whose group ``value`` is replaced."""

    name: str
    hints: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    about: str
    keep: Callable[[bytes], bool] = lambda _: False


def _is_certificate(value: bytes) -> bool:
    """Whether a base64 value is certificates and nothing else."""
    try:
        text = base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return b"BEGIN CERTIFICATE" in text and b"PRIVATE KEY" not in text


def _holds_no_key(value: bytes) -> bool:
    """Whether base64 text that begins like PEM holds no private key."""
    padded = value.rstrip(b"=") + b"=" * (-len(value.rstrip(b"=")) % 4)
    try:
        return b"PRIVATE KEY" not in base64.b64decode(padded)
    except ValueError:
        return False


RULES: tuple[Rule, ...] = (
    Rule(
        name="private-key",
        hints=(b"PRIVATE KEY-----",),
        pattern=re.compile(
            rb"-----BEGIN " + _KEY_LABEL + rb"-----(?P<value>.*?)(?:-----END " + _KEY_LABEL + rb"-----|\Z)", re.DOTALL
        ),
        about="PEM private keys of every kind; their BEGIN and END lines stay.",
    ),
    Rule(
        name="private-key-base64",
        hints=(b"LS0tLS1CRUdJTi",),
        pattern=re.compile(rb"(?P<value>LS0tLS1CRUdJTi" + _B64 + rb"{40,})"),
        about="Base64 of PEM private keys, as in Secrets and inline_bytes.",
        keep=_holds_no_key,
    ),
    Rule(
        name="jwt",
        hints=(b"eyJ",),
        pattern=re.compile(rb"(?P<value>\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)"),
        about="JSON web tokens.",
    ),
    Rule(
        name="bearer-token",
        hints=(b"earer ",),
        pattern=re.compile(rb"\b[Bb]earer (?P<value>(?!token\b)[A-Za-z0-9._~+/-]{16,}=*)"),
        about="Bearer tokens of headers.",
    ),
    Rule(
        name="basic-auth",
        hints=(b"asic ", b"ASIC "),
        pattern=re.compile(rb"(?i)\bauthorization\\?[\"']?\s*[:=]\s*\\?[\"']?basic (?P<value>[A-Za-z0-9+/]{4,}={0,2})"),
        about="User and password of basic authorization headers.",
    ),
    Rule(
        name="cookie",
        hints=(b"ookie",),
        pattern=re.compile(rb"(?i)\b(?:set-)?cookie\\?[\"']?\s*[:=]\s*\\?[\"']?(?P<value>[\w.-]+=[^\"'\r\n\\]{4,})"),
        about="Values of Cookie and Set-Cookie headers.",
    ),
    Rule(
        name="aws-key",
        hints=(b"AKIA", b"ASIA"),
        pattern=re.compile(rb"\b(?P<value>A[KS]IA[0-9A-Z]{16})\b"),
        about="AWS access key ids.",
    ),
    Rule(
        name="credential-env",
        hints=(b"ASSWORD", b"assword", b"ECRET", b"ecret", b"OKEN", b"oken", b"API_KEY", b"REDENTIAL"),
        pattern=re.compile(
            rb"\"?name\"?: ?[\"']?[A-Za-z0-9_.-]*(?i:passw(?:or)?d|secret|token|api_?key|credential|private_?key)"
            rb"[A-Za-z0-9_.-]*[\"']?(?:,\s*|\s+)\"?value\"?: ?(?P<quote>[\"']?)"
            rb"(?P<value>(?!\[redacted:|/[a-z][\w.-]*/)(?:[^\s\"',}\\]|\\.){4,}(?:[^\r\n\"'\\]|\\.)*)(?P=quote)"
        ),
        about="Environment variables named like credentials, with a literal value.",
    ),
    Rule(
        name="credential-applied",
        hints=(b'\\"value\\"',),
        pattern=re.compile(
            rb'\\"name\\": ?\\"[A-Za-z0-9_.-]*(?i:passw(?:or)?d|secret|token|api_?key|credential|private_?key)'
            rb'[A-Za-z0-9_.-]*\\",\s*\\"value\\": ?\\"(?P<value>(?!\[redacted:|/[a-z][\w.-]*/)[^\r\n]{4,}?)(?<!\\)\\"'
        ),
        about="The same in JSON inside JSON, as annotations of what was last applied hold it.",
    ),
    Rule(
        name="credential-assigned",
        hints=(b"PASSW", b"SECRET", b"TOKEN", b"API_KEY", b"APIKEY", b"CREDENTIAL", b"PRIVATE_KEY"),
        pattern=re.compile(
            rb"(?<![A-Za-z0-9_])[A-Z0-9_]*(?:PASSW(?:OR)?D|SECRET|TOKEN|API_?KEY|CREDENTIAL|PRIVATE_KEY)[A-Z0-9_]*"
            rb"\\?[\"']?(?:=|:[ \t]*)\\?[\"']?(?P<value>(?!" + _PLAIN_VALUE + rb")[^\s\"'\\]{4,})"
        ),
        about="The same, as `NAME: value` of kubectl describe, `NAME=value`, or a field of JSON or YAML.",
    ),
)

_SECRET = re.compile(rb"[\"']?kind[\"']?: ?[\"']?Secret[\"']?(?=[,\s}])")
_JSON_VALUE = re.compile(
    rb'(?P<escape>\\?)"(?P<name>[A-Za-z0-9._-]+)(?P=escape)": ?(?P=escape)"(?P<value>(?:[^"\\]|\\[^"])+)(?P=escape)"'
)
_YAML_VALUE = re.compile(rb"^ *(?P<name>[A-Za-z0-9._-]+):[ ]+[\"']?(?P<value>[^\s\"'][^\r\n\"']*)", re.MULTILINE)
_YAML_REST = re.compile(rb"^ *(?P<name>)(?P<value>(?![A-Za-z0-9._-]+:(?:[ \r\n]|\Z))\S[^\r\n]*)", re.MULTILINE)
_BLOCK_SCALAR = re.compile(rb"[|>][-+0-9]*\Z")


class Redactor:
    """Applies the rules with one key, so that equal secrets have equal pseudonyms in one bundle."""

    def __init__(self, key: bytes, *, hosts: bool = False) -> None:
        self._key = key
        self._hosts = hosts

    def redact(self, payload: bytes) -> tuple[bytes, dict[str, int]]:
        """The payload without secrets, and how many spans each rule replaced."""
        counts: dict[str, int] = {}
        for rule in RULES:
            if any(hint in payload for hint in rule.hints):
                payload = self._apply(rule, payload, counts)
        if b"Secret" in payload:
            payload = self._secrets(payload, counts)
        if self._hosts:
            payload = self._addresses(payload, counts)
        return payload, counts

    def pseudonym(self, rule: str, value: bytes) -> bytes:
        """What stands for `value`: the same for the same value and key."""
        digest = hmac.new(self._key, value, hashlib.sha256).hexdigest()[:12]
        return b"[redacted:%s:%s]" % (rule.encode(), digest.encode())

    def _apply(self, rule: Rule, payload: bytes, counts: dict[str, int]) -> bytes:
        def replace(found: re.Match[bytes]) -> bytes:
            value = found.group("value")
            if _MARK in value or rule.keep(value):
                return found.group(0)
            counts[rule.name] = counts.get(rule.name, 0) + 1
            start, end = found.span("value")
            begin = found.start()
            whole = found.group(0)
            return whole[: start - begin] + self._in_place(rule.name, value) + whole[end - begin :]

        return rule.pattern.sub(replace, payload)

    def _in_place(self, rule: str, value: bytes) -> bytes:
        """The pseudonym, followed by the line ends of the value, so that no line moves."""
        real = re.findall(rb"\r?\n[ \t]*", value)
        escaped = re.findall(rb"\\r\\n|\\n", value) if not real else []
        return self.pseudonym(rule, value.strip()) + b"".join(real or escaped)

    def _secrets(self, payload: bytes, counts: dict[str, int]) -> bytes:
        """Values of Kubernetes Secrets, in JSON and in YAML; certificates stay."""
        made: list[bytes] = []
        done = 0
        for start, end in _secret_blocks(payload):
            if start < done:
                continue
            made += [payload[done:start], self._secret_block(payload[start:end], counts)]
            done = end
        return b"".join((*made, payload[done:])) if made else payload

    def _secret_block(self, block: bytes, counts: dict[str, int]) -> bytes:
        def replace(found: re.Match[bytes]) -> bytes:
            value = found.group("value").rstrip()
            public = _is_certificate(value) or re.fullmatch(_PUBLIC_KEYS, found.group("name"))
            if public or _MARK in value or _BLOCK_SCALAR.match(value):
                return found.group(0)
            counts["secret-value"] = counts.get("secret-value", 0) + 1
            start, end = found.start("value") - found.start(), found.start("value") - found.start() + len(value)
            whole = found.group(0)
            return whole[:start] + self.pseudonym("secret-value", value) + whole[end:]

        if b"{" in block:
            return _JSON_VALUE.sub(replace, block)
        return _YAML_REST.sub(replace, _YAML_VALUE.sub(replace, block))

    def _addresses(self, payload: bytes, counts: dict[str, int]) -> bytes:
        def replace(found: re.Match[bytes]) -> bytes:
            address = _address(found.group(0))
            if address is None:
                return found.group(0)
            counts["host"] = counts.get("host", 0) + 1
            return _stand_in(address.version, hmac.digest(self._key, str(address).encode(), "sha256"))

        return _IPV6.sub(replace, _IPV4.sub(replace, payload))


_IPV4 = re.compile(rb"(?<!\d)(?<!\d\.)(?!127\.|0\.0\.0\.0|240\.)(?:\d{1,3}\.){3}\d{1,3}(?!\d|\.\d)")
_IPV6 = re.compile(
    rb"(?<![0-9A-Za-z:.])(?![0-9A-Fa-f]{0,4}::(?![0-9A-Fa-f]))"  # a name before the `::` of /clusters
    rb"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Za-z:]|\.\d)"
)
_STAND_INS = ipaddress.ip_network("2001:db8::/32")


def _address(text: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of a host; None for what is none, for this host itself, and for a pseudonym."""
    try:
        address = ipaddress.ip_address(text.decode())
    except ValueError:
        return None
    own = address.is_loopback or address.is_unspecified or address in _STAND_INS
    return None if own else address


def _stand_in(version: int, digest: bytes) -> bytes:
    if version == 4:
        return b"240.%d.%d.%d" % (digest[0], digest[1], digest[2])
    return b"2001:db8:" + b":".join(digest[at : at + 2].hex().encode() for at in range(0, 12, 2))


_DATA = re.compile(rb"^(?P<indent> *)(?:- )?(?:data|stringData):[ \t]*\r?\n", re.MULTILINE)
_DATA_JSON = re.compile(rb"\\?\"(?:data|stringData)\\?\": ?\{[^{}]*\}")


def _secret_blocks(payload: bytes) -> list[tuple[int, int]]:
    """The spans of ``data`` and ``stringData`` of objects of kind Secret, ordered."""
    if not _SECRET.search(payload) and b'\\"kind\\":\\"Secret\\"' not in payload:
        return []
    spans = [found.span() for found in _DATA_JSON.finditer(payload) if _is_of_json_secret(payload, *found.span())]
    for found in _DATA.finditer(payload):
        end = found.end()
        indent = len(found.group("indent"))
        deeper = re.compile(rb"(?: {%d,}\S[^\n]*\n?|[ \t]*\r?\n)*" % (indent + 1))
        inside = deeper.match(payload, end)
        if inside and _is_of_secret(payload, found.start(), indent):
            spans.append((end, inside.end()))
    return sorted(spans)


def _is_of_json_secret(payload: bytes, start: int, end: int) -> bool:
    """Whether the ``kind`` nearest before or after a JSON ``data`` object says Secret; in doubt it does."""
    after = _KIND.search(payload, end)
    before = payload.rfind(b'"kind', 0, start)
    nearest = _KIND.match(payload, before) if before >= 0 else None
    return any(found is not None and found.group(1) == b"Secret" for found in (after, nearest))


def _is_of_secret(payload: bytes, at: int, indent: int) -> bool:
    """Whether the YAML object that holds the line at `at` says ``kind: Secret`` beside it."""
    item = b"\n" + b" " * max(0, indent - 2) + b"- "
    own = re.compile(rb"^(?: {%d}|%s)kind: ?[\"']?Secret[\"']?\s*$" % (indent, item[1:]), re.MULTILINE)
    start = max(payload.rfind(b"\n---", 0, at), payload.rfind(item, 0, at), 0)
    ends = [found for found in (payload.find(b"\n---", at), payload.find(item, at)) if found >= 0]
    return own.search(payload, start, min(ends, default=len(payload))) is not None


_KIND = re.compile(rb"\\?\"kind\\?\": ?\\?\"(\w+)")
