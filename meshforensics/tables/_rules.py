"""Rules of AuthorizationPolicies as Istio reads them: what of a request one does not fit, and what nothing tells."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from itertools import chain
from typing import Any, NamedTuple

from meshforensics.tables._objects import members_in, texts_in

Values = tuple[str, ...] | None
"""What a request has of a field, of several possible; None where nothing tells, empty where it surely has none."""

Match = Callable[[str, str], bool]


class Request(NamedTuple):
    """What is known of a request that a rule may ask for; empty for unknown.

    Attributes:
        accounts: the identities that its caller may have, as ``ns/<namespace>/sa/<account>``; None where the
            caller has none.
        ips: the addresses that its caller may have.
        local: the address it was sent to.
        remote: the address of the client as the server takes it, which X-Forwarded-For may tell.
        headers: headers that the log has, by their names in small letters.
    """

    accounts: tuple[str, ...] | None = ()
    method: str = ""
    path: str = ""
    host: str = ""
    port: str = ""
    ips: tuple[str, ...] = ()
    local: str = ""
    sni: str = ""
    remote: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Fit(NamedTuple):
    """How a rule fits a request: what it lacks, and what decides that nothing tells of, both in words."""

    lacks: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


def judged(rule: Any, request: Request) -> Fit:
    """How a rule fits a request, by the nearest of its alternatives."""
    if not isinstance(rule, dict):
        return Fit(("a rule that can be read",))
    sources = [each.get("source") for each in members_in(rule, "from") if isinstance(each, dict)]
    operations = [each.get("operation") for each in members_in(rule, "to") if isinstance(each, dict)]
    conditions = [each for each in members_in(rule, "when") if isinstance(each, dict)]
    return _all_of(
        _nearest(sources, _source_fields(request)),
        _nearest(operations, _operation_fields(request)),
        *(_condition(each, request) for each in conditions),
    )


def _all_of(*parts: Fit) -> Fit:
    """What of several that all have to fit is lacking or untold."""
    lacks, untold = ([each.lacks for each in parts], [each.untold for each in parts])
    return Fit(tuple(chain.from_iterable(lacks)), tuple(chain.from_iterable(untold)))


def _nearest(sides: Sequence[Any], fields: Mapping[str, tuple[Values, Match]]) -> Fit:
    """Of alternatives the one that is nearest to the request."""
    found = [_side(side, fields) for side in sides if isinstance(side, dict)]
    return min(found, key=lambda fit: (len(fit.lacks), len(fit.untold)), default=Fit())


def _side(side: Mapping[str, Any], fields: Mapping[str, tuple[Values, Match]]) -> Fit:
    parts = []
    for field, (values, match) in fields.items():
        barred = f"not{field[0].upper()}{field[1:]}"
        parts.append(_wants(field, texts_in(side, field), values, match))
        parts.append(_bars(barred, texts_in(side, barred), values, match))
    return _all_of(*parts)


def _wants(field: str, wanted: Sequence[str], values: Values, match: Match) -> Fit:
    if not wanted:
        return Fit()
    if values is None:
        return Fit(untold=(field,))
    if any(match(pattern, value) for pattern in wanted for value in values):
        return Fit()
    return Fit((f"{field} {_as_written(values[0], wanted) if values else 'of a caller with mTLS'}",))


def _as_written(value: str, beside: Sequence[str]) -> str:
    """A principal with the trust domain of those that a rule has already: without one it names nobody."""
    if not value.startswith("ns/"):
        return value
    domains = (pattern.partition("/ns/") for pattern in beside)
    return f"{next((domain for domain, found, _ in domains if found and '*' not in domain), '*')}/{value}"


def _bars(field: str, barred: Sequence[str], values: Values, match: Match) -> Fit:
    """A caller that may have several values is barred where all of them are."""
    if not barred:
        return Fit()
    if values is None:
        return Fit(untold=(field,))
    if values and all(any(match(pattern, value) for pattern in barred) for value in values):
        return Fit((f"{field} without {_as_written(values[0], barred)}",))
    return Fit()


def _source_fields(request: Request) -> dict[str, tuple[Values, Match]]:
    return {
        "principals": (_of_accounts(request, str), _is_named),
        "namespaces": (_of_accounts(request, _namespace), _is_named),
        "serviceAccounts": (_of_accounts(request, _short), _is_named),
        "ipBlocks": (request.ips or None, _within),
        "remoteIpBlocks": (_one(request.remote), _within),
        "requestPrincipals": (None, fits),
    }


def _operation_fields(request: Request) -> dict[str, tuple[Values, Match]]:
    return {
        "methods": (_one(request.method), fits),
        "paths": (_one(request.path), _fits_path),
        "hosts": (_one(request.host), fits),
        "ports": (_one(request.port), fits),
    }


def _condition(condition: Mapping[str, Any], request: Request) -> Fit:
    """One member of `when`: a key with the values that it must, or must not, have."""
    key = str(condition.get("key") or "")
    known: dict[str, tuple[Values, Match]] = {
        "source.principal": (_of_accounts(request, str), _is_named),
        "source.namespace": (_of_accounts(request, _namespace), _is_named),
        "source.serviceAccount": (_of_accounts(request, _short), _is_named),
        "source.ip": (request.ips or None, _within),
        "remote.ip": (_one(request.remote), _within),
        "destination.ip": (_one(request.local), _within),
        "destination.port": (_one(request.port), fits),
        "connection.sni": (_one(request.sni), fits),
    }
    named = header_of(key)
    held = {name: _one(value) for name, value in request.headers}
    values, match = (held.get(named), fits) if named else known.get(key, (None, fits))
    return _all_of(
        _wants(key, texts_in(condition, "values"), values, match),
        _bars(f"not {key}", texts_in(condition, "notValues"), values, match),
    )


def header_of(key: str) -> str:
    """The header that a condition's key names, in small letters; empty for another key.

    >>> header_of("request.headers[X-Env]"), header_of("source.ip")
    ('x-env', '')
    """
    return key[len(_HEADERS) : -1].lower() if key.startswith(_HEADERS) and key.endswith("]") else ""


def headers_asked(rules: Iterable[Any]) -> frozenset[str]:
    """The headers that some rules ask for."""
    named = (
        header_of(str(condition.get("key") or ""))
        for rule in rules
        if isinstance(rule, dict)
        for condition in members_in(rule, "when")
        if isinstance(condition, dict)
    )
    return frozenset(named) - {""}


def _one(value: str) -> Values:
    return (value,) if value and value != "-" else None


def _of_accounts(request: Request, part: Callable[[str], str]) -> Values:
    if request.accounts is None:
        return ()
    return tuple(part(each) for each in request.accounts) or None


def _namespace(account: str) -> str:
    return account.split("/")[1]


def _short(account: str) -> str:
    namespace, account = account.removeprefix("ns/").split("/sa/")
    return f"{namespace}/{account}"


def fits(pattern: str, value: str) -> bool:
    """Istio's matching of texts: exact, by prefix (``a*``), by suffix (``*a``), or anything (``*``).

    >>> fits("/pay*", "/pay/1"), fits("*-bogus", "shop"), fits("*", "x"), fits("*", "")
    (True, False, True, False)
    """
    if pattern == "*":
        return bool(value)
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    if pattern.startswith("*"):
        return value.endswith(pattern[1:])
    return pattern == value


def _fits_path(pattern: str, value: str) -> bool:
    """As other texts, or by template: ``{*}`` is one part of a path, ``{**}`` any number."""
    if "{*" not in pattern:
        return fits(pattern, value)
    parts = (re.escape(each) if not each.startswith("{") else _PARTS[each] for each in _TEMPLATE.split(pattern))
    return re.fullmatch("".join(parts), value) is not None


_HEADERS = "request.headers["
_TEMPLATE = re.compile(r"(\{\*\*?\})")
_PARTS = {"{*}": "[^/]+", "{**}": ".*"}


def _is_named(pattern: str, value: str) -> bool:
    """Whether a principal names an account; trust domains are left out, for aliases stand for each other."""
    _, found, account = pattern.partition("/ns/")
    if found and not pattern.startswith("*") and value.startswith("ns/"):
        return fits(f"ns/{account}", value)
    return fits(pattern, value) or (pattern.startswith("*") and fits(pattern, f"/{value}"))


def _within(block: str, address: str) -> bool:
    """Whether an address is in a network, or is the one that is named."""
    try:
        return ip_address(address) in ip_network(block, strict=False)
    except ValueError:
        return block == address


def in_words(untold: Iterable[str]) -> str:
    """Fields that nothing tells of, each once."""
    return " and ".join(dict.fromkeys(untold))
