"""The rules of redaction: which spans of bytes are secrets, wherever they stand.

A rule looks only at places where one of its words stands, so that a large dump costs a search for words and little
else. Its pattern begins at the word; what it replaces is the last group that matched. No rule matches its own output.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        name: how the manifest counts it.
        words: lower-case words, of which one stands where the pattern begins.
        pattern: matched at a word; its last group that matched is the secret.
        about: what it replaces.
        whole: what the whole name that holds the word must be like; None where any will do.
        keep: values that look like a secret and are none.
    """

    name: str
    words: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    about: str
    whole: re.Pattern[bytes] | None = None
    keep: Callable[[bytes], bool] = lambda _: False


_REFERENCE = re.compile(
    rb"\[redacted\b|\$[({]|\{\{|%[A-Z_]+[(%]|W3JlZGFjdGVkXQ==|/[a-z][\w.-]*/"
    rb"|<(?:set to |unset>|redacted>)|(?:none|null|true|false)\Z"
)
"""Where a credential is, not what it is: a variable, a format, a path; and Envoy's own redaction."""
_PLAIN = re.compile(
    rb"[<{|>]|(?:true|false|null|none|[\d.]+[a-z]{0,2}(?:[\d.]+[a-z]{1,2})*)(?![\w+/=-])|" + _REFERENCE.pattern
)
"""What is no credential where it stands bare: references, switches, numbers and spans."""


def _reference(value: bytes) -> bool:
    return _REFERENCE.match(value) is not None


def _plain(value: bytes) -> bool:
    return _PLAIN.match(value) is not None


def _option(value: bytes) -> bool:
    return value[:1] == b"-" or _plain(value)


def _holds_no_key(value: bytes) -> bool:
    """Whether base64 text that begins like PEM holds no private key."""
    padded = value.rstrip(b"=") + b"=" * (-len(value.rstrip(b"=")) % 4)
    try:
        return b"PRIVATE KEY" not in base64.b64decode(padded)
    except ValueError:
        return False


_Q = rb"\\?[\"']"
_REST = rb"[A-Za-z0-9_.-]*"
"""The rest of a name, after the word."""
_IN_QUOTES = (
    rb"\"{0}((?:[^\"\\\r\n]|\\.)+)(?:\"|\Z)"
    rb"|\\\"{0}((?:[^\"\\\r\n]|\\\\(?:\\.|[^\\]))+)(?:\\\"|\Z)"
    rb"|'{0}([^'\r\n]+)(?:'|\Z)"
)
"""A value in quotes; in the escaped quotes of JSON that stands in JSON; in single quotes. ``{0}`` stays before it."""
_QUOTED = _IN_QUOTES.replace(b"{0}", b"")
_BARE = rb"([^\s\"'\\]{4,})"
_IS = rb"(?:" + _Q + rb")?(?:=|:[ \t]*)"
_PAIR = (
    rb"(?:" + _Q + rb")?(?:,\s*|\s+)(?:" + _Q + rb")?"
    rb"(?:value|raw_value|rawValue|exact_match|exactMatch"
    rb"|(?:string_?[mM]atch(?:" + _Q + rb")?:\s*\{?\s*(?:" + _Q + rb")?)?exact)"
    rb"(?:" + _Q + rb")?:\s*"
)
"""Between a name and its value where they are two fields: variables, headers that are set, headers that are matched."""
_WRAPPED = rb"(?:" + _Q + rb")?:\s*\{?\s*(?:" + _Q + rb")?(?:exact|inline_?(?:[sS]tring|[bB]ytes))(?:" + _Q + rb")?:\s*"
"""Between a name and its value where that is wrapped: ``password: {inline_string: …}``, ``x-api-key: {exact: …}``."""
_SCHEME = rb"(?:(?:[Bb]asic|[Bb]earer|[Tt]oken|[Dd]igest|[Nn]egotiate|NTLM|[Aa]pi-?[Kk]ey|AWS4-HMAC-SHA256)[ ]+)"
_AFTER_SCHEME = _IN_QUOTES.replace(b"{0}", _SCHEME + b"?")
_HEADER = re.compile(
    rb"(?i)(?:[a-z0-9-]+-)?(?:authorization|api-?key|(?:access|auth|security|session|csrf|xsrf|vault|refresh|id)-token)"
    rb"|private-token|x-[a-z0-9-]*(?:token|secret|password|credential)"
)
_KINDS = (
    rb"passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|credential|private[_-]?key|signing[_-]?key"
    rb"|encryption[_-]?key|master[_-]?key"
)
_CREDENTIAL = re.compile(
    rb"(?i)[a-z0-9_.-]*(?:" + _KINDS + rb")[a-z0-9_.-]*"
    rb"|(?:[a-z0-9_.-]*[_.-])?(?:pwd|auth)|[a-z0-9_.-]*(?<!by)(?<!com)pass"
)
"""Names of variables that hold a credential."""
_ASSIGNED = re.compile(rb"[A-Z0-9_]*(?:" + _KINDS.upper().replace(b"[_-]", b"_") + rb")[A-Z0-9_]*")
_STEMS = (
    b"pass", b"pwd", b"secret", b"token", b"_key", b"-key", b"pikey", b"sskey", b"etkey", b"tekey", b"credential",
    b"auth",
)  # fmt: skip
"""Parts of the names of credentials, so few that to look for them costs little."""
_FIELD = re.compile(
    rb"(?:[A-Za-z0-9_.-]*[_.-])?(?i:password|passwd|passphrase|(?:client|hmac|shared|consumer|app)[_-]?secret|api[_-]?key"
    rb"|(?:secret[_-]?)?access[_-]?key|secret[_-]?key|(?:access|refresh|auth|session|bearer|id|api)[_-]?token)"
    rb"|[A-Za-z0-9_.-]*(?:Password|Passwd|Passphrase|ClientSecret|ApiKey|APIKey|AccessKey|SecretKey|AccessToken|RefreshToken)"
)
"""Names whose end says that a field of whatever document holds a credential."""
_INLINE = re.compile(rb"(?:[a-z]+_)?(?:secret|password|private_key)|secret|hmacSecret|tokenSecret")
_OPTION = re.compile(
    rb"(?i)--?(?:[a-z0-9][\w.-]*?)?(?:password|passwd|passphrase|secret|token|api-?key|access-?key|secret-?key|private-?key"
    rb"|credentials?|[-_]pwd|[-_]pass)"
)
_PARAMETER = re.compile(
    rb"(?i:(?:(?<=[?&])|(?<=\\)u0026)(?:(?:access|refresh|id|auth|session|security|client)?_?token|api_?key|passw(?:or)?d|pwd"
    rb"|(?:client_)?secret|(?:client_)?assertion|sig|signature|x-amz-(?:signature|security-token|credential)"
    rb"|x-goog-(?:signature|credential)|jwt|auth|sessionid))"
)
"""Names of parameters in the query of a path; JSON may write ``&`` as ``\\u0026``."""

RULES: tuple[Rule, ...] = (
    Rule(
        name="private-key",
        words=(b"-----begin ",),
        pattern=re.compile(
            rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(.*?)"
            rb"(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        about="PEM private keys of every kind; their BEGIN and END lines stay.",
    ),
    Rule(
        name="private-key-base64",
        words=(b"ls0tls1crudjti",),
        pattern=re.compile(rb"(LS0tLS1CRUdJTi[A-Za-z0-9+/=]{40,})"),
        about="Base64 of PEM private keys, as in Secrets and inline_bytes.",
        keep=_holds_no_key,
    ),
    Rule(
        name="cookie",
        words=(b"cookie",),
        pattern=re.compile(
            rb"(?i:cookie2?)(?:" + _IS + rb"(?:" + _Q + rb")?([\w.-]+=[^\"'\r\n\\]{4,})"
            rb"|(?:" + _PAIR + rb"|', )(?:" + _QUOTED + rb"))"
        ),
        about="Values of Cookie and Set-Cookie headers.",
        keep=_reference,
    ),
    Rule(
        name="jwt",
        words=(b"eyj",),
        pattern=re.compile(rb"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)"),
        about="JSON web tokens.",
    ),
    Rule(
        name="bearer-token",
        words=(b"bearer ",),
        pattern=re.compile(rb"(?<![A-Za-z])[Bb]earer ((?!token\b)[A-Za-z0-9._~+/-]{16,}=*)"),
        about="Bearer tokens of headers.",
    ),
    Rule(
        name="basic-auth",
        words=(b"basic ",),
        pattern=re.compile(rb"(?<=[:=\"' ])(?i:basic) ([A-Za-z0-9+/]{4,}={0,2})(?=[\s\"'\\]|\Z)"),
        about="User and password of basic authorization headers.",
        keep=lambda value: not _is_user_and_password(value),
    ),
    Rule(
        name="aws-key",
        words=(b"akia", b"asia"),
        pattern=re.compile(rb"(?<![A-Za-z0-9])(A[KS]IA[0-9A-Z]{16})(?![A-Za-z0-9])"),
        about="AWS access key ids.",
    ),
    Rule(
        name="password-hash",
        words=(b"{sha}", b"$2", b"$apr1$"),
        pattern=re.compile(
            rb"(\{SHA\}[A-Za-z0-9+/=]{20,}|\$2[aby]\$\d\d\$[./A-Za-z0-9]{20,}|\$apr1\$[./A-Za-z0-9$]{8,})"
        ),
        about="Hashes of passwords, as htpasswd writes them.",
    ),
    Rule(
        name="url-password",
        words=(b"://",),
        pattern=re.compile(rb"://[^\s/@:\"'\\?#,]{0,64}:([^\s/@\"'\\]+)@"),
        about="Passwords inside addresses: `postgres://user:password@host`.",
        keep=_reference,
    ),
    Rule(
        name="credential-query",
        words=(*_STEMS, b"sig=", b"signature=", b"jwt=", b"assertion="),
        pattern=re.compile(rb"[A-Za-z_-]+=([^&\s\"'\\#<>;]{4,})"),
        about="Tokens in the query of a path.",
        whole=_PARAMETER,
        keep=_plain,
    ),
    Rule(
        name="credential-applied",
        words=_STEMS,
        pattern=re.compile(
            _REST + rb'\\",\s*\\"value\\": ?\\"((?:[^\"\\\r\n]|\\\\(?:\\.|[^\\]))+)(?:\\"|\Z)'
        ),
        about="Variables in JSON inside JSON, as annotations of what was last applied hold them.",
        whole=_CREDENTIAL,
        keep=_reference,
    ),
    Rule(
        name="credential-header",
        words=_STEMS,
        pattern=re.compile(
            rb"[A-Za-z0-9-]+(?:" + _IS + rb"(?:(?:" + _AFTER_SCHEME + rb")|"
            + _SCHEME + rb"?" + _BARE + rb")|(?:" + _PAIR + rb"|" + _WRAPPED + rb")(?:" + _AFTER_SCHEME
            + rb")|', '([^'\r\n]+)'(?=\s|\\n|\Z)|" + _Q + rb",\s*" + _Q + rb"([^\"'\\\r\n]+)" + _Q + rb"\s*\))"
        ),
        about="Values of headers that carry credentials: in logs, in what a proxy sets or matches, in scripts.",
        whole=_HEADER,
        keep=_plain,
    ),
    Rule(
        name="credential-env",
        words=_STEMS,
        pattern=re.compile(_REST + _PAIR + rb"(?:" + _QUOTED + rb"|(?![\d.]+[\s,}\]])([^\s\"'\\,}\]]{4,}))"),
        about="Variables named like credentials, with a literal value; pairs of a name and a value.",
        whole=_CREDENTIAL,
        keep=_reference,
    ),
    Rule(
        name="credential-argument",
        words=_STEMS,
        pattern=re.compile(
            rb"[A-Za-z0-9_-]*(?:=|[ \t]+|" + _Q + rb",\s*|" + _Q + rb"?\r?\n\s*- )(?:" + _QUOTED + rb"|" + _BARE + rb")"
        ),
        about="Options of command lines: `--password=…`, `--token …`, also over two members of a list.",
        whole=_OPTION,
        keep=_option,
    ),
    Rule(
        name="user-argument",
        words=(b"-u ", b'-u"', b'-u\\"', b"--user"),
        pattern=re.compile(
            rb"(?<![\w-])-(?:u|-user)(?:=|\s+|" + _Q + rb",\s*" + _Q + rb")(?:" + _Q + rb")?"
            rb"[^\s:\"'\\/]+:([^\s\"'\\:]{4,})"
        ),
        about="`-u user:password` of curl and its like.",
        keep=_plain,
    ),
    Rule(
        name="password-argument",
        words=(b"mysql", b"mariadb"),
        pattern=re.compile(rb"[a-z]+(?:\"(?:,\s*\"[^\"]*\")*?,\s*\"|[^\"\r\n]{0,200}?\s)-p([^\s\"'\\]{4,})"),
        about="`-ppassword` of the clients of MySQL.",
        keep=_plain,
    ),
    Rule(
        name="credential-assigned",
        words=_STEMS,
        pattern=re.compile(rb"[A-Z0-9_]+" + _IS + rb"(?:" + _Q + rb")?" + _BARE),
        about="The same, as `NAME: value` of kubectl describe, `NAME=value`, or a field of JSON or YAML.",
        whole=_ASSIGNED,
        keep=_plain,
    ),
    Rule(
        name="credential-field",
        words=_STEMS,
        pattern=re.compile(
            rb"[A-Za-z0-9_.-]+?(?:" + _IS + rb"(?:" + _QUOTED + rb"|" + _BARE + rb"))"
        ),
        about="Fields of any document whose name says that they hold a credential.",
        whole=_FIELD,
        keep=_plain,
    ),
    Rule(
        name="credential-inline",
        words=_STEMS,
        pattern=re.compile(_REST + _WRAPPED + rb"(?:" + _QUOTED + rb")"),
        about="Credentials that the configuration of a proxy holds inline.",
        whole=_INLINE,
        keep=_reference,
    ),
)  # fmt: skip


def _is_user_and_password(value: bytes) -> bool:
    try:
        return b":" in base64.b64decode(value + b"=" * (-len(value) % 4))
    except ValueError:
        return False
