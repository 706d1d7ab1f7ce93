"""Read a protobuf message that someone printed as JSON or YAML, whatever its age and spelling.

One field has up to four spellings: ``virtual_hosts`` (Envoy), ``virtualHosts`` (istioctl, istiod),
``hidden_envoy_deprecated_virtual_hosts`` and its camel form (fields of xDS v2 that Envoy 1.13 and later
carried along). The one that is there is also the one that pointers name.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from meshforensics.model import NotTheFormError

_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)s\Z")
_WHOLE = re.compile(r"-?\d{1,19}\Z")


class Message(NamedTuple):
    """A message and its place; a field that is absent, null or empty reads as its default."""

    value: dict[str, Any]
    pointer: str

    def find(self, name: str) -> tuple[str, Any]:
        """The spelling and the value of a field; ``(name, None)`` when it is absent or null."""
        held = self.value
        if held:
            for key in spellings(name):
                value = held.get(key)
                if value is not None:
                    return key, value
        return name, None

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.find(name)[1] is not None

    def message(self, *names: str) -> "Message":
        """The message at the path `names`; an empty one, without place, where there is none.

        Raises:
            NotTheFormError: something else than a message is there.
        """
        found = self
        for name in names:
            key, value = found.find(name)
            if value is None:
                return _ABSENT
            pointer = f"{found.pointer}/{escape(key)}"
            found = Message(_as(dict, value, pointer), pointer)
        return found

    def messages(self, *names: str) -> Iterator["Message"]:
        """The messages of the repeated field at the path `names`.

        One message in place of a list is a list of one: protobuf reads configuration so, and Envoy up to
        1.15 printed untyped configuration (``config``) as it was written.

        Raises:
            NotTheFormError: something else is there.
        """
        holder = self.message(*names[:-1])
        key, value = holder.find(names[-1])
        if value is None:
            return
        pointer = f"{holder.pointer}/{escape(key)}"
        if isinstance(value, dict):
            yield Message(value, pointer)
            return
        for index, each in enumerate(_as(list, value, pointer)):
            place = f"{pointer}/{index}"
            yield Message(_as(dict, {} if each is None else each, place), place)

    def entries(self, name: str) -> Iterator[tuple[str, "Message"]]:
        """The messages of a map field, by key."""
        held = self.message(name)
        for key, value in held.value.items():
            if isinstance(value, dict):
                yield str(key), Message(value, f"{held.pointer}/{escape(str(key))}")

    def text(self, *names: str) -> str | None:
        """The text at the path `names`; None when it is absent, empty or no scalar."""
        value = self.message(*names[:-1]).find(names[-1])[1]
        if isinstance(value, bool) or value in ("", None) or isinstance(value, (dict, list)):
            return None
        return str(value)

    def texts(self, *names: str) -> tuple[str, ...]:
        """The texts of the repeated field at the path `names`."""
        value = self.message(*names[:-1]).find(names[-1])[1]
        return tuple(str(each) for each in value if each is not None) if isinstance(value, list) else ()

    def whole(self, *names: str) -> int | None:
        """The whole number at the path `names`, printed as number or as text; None when there is none."""
        value = self.message(*names[:-1]).find(names[-1])[1]
        if isinstance(value, str) and _WHOLE.match(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        return value if -(2**63) <= value < 2**63 else None

    def flag(self, *names: str, default: bool = False) -> bool:
        """The boolean at the path `names`; `default` when it is absent, as protobuf leaves out defaults."""
        value = self.message(*names[:-1]).find(names[-1])[1]
        return value if isinstance(value, bool) else default

    def seconds(self, *names: str) -> float | None:
        """The duration (``"0.250s"``) at the path `names` in seconds."""
        found = _DURATION.match(self.text(*names) or "")
        return float(found.group(1)) if found else None

    @property
    def type(self) -> str:
        """The last word of ``@type``: ``Cluster``; ``""`` where the message is untyped."""
        name = self.value.get("@type")
        return name.rpartition("/")[2].rpartition(".")[2] if isinstance(name, str) else ""

    @property
    def type_name(self) -> str:
        """The whole type name behind ``@type``, without its ``type.googleapis.com/``."""
        name = self.value.get("@type")
        return name.rpartition("/")[2] if isinstance(name, str) else ""


_ABSENT = Message({}, "")


def extension(holder: Message) -> tuple[str, Message]:
    """Type name and message of an extension: `typed_config`, a `TypedStruct` in it, or the v2 `config`."""
    config = holder.message("typed_config") if holder.has("typed_config") else holder.message("config")
    if config.type == "TypedStruct":
        return (config.text("type_url") or "").rpartition("/")[2], config.message("value")
    if config.type_name.startswith("google.protobuf."):
        return config.type_name, config.message("value")
    return config.type_name, config


def address_of(holder: Message) -> str | None:
    """An address as Envoy prints it: ``10.0.0.1:80``, ``[fd00::1]:80``, a path, ``envoy://listener/id``.

    Args:
        holder: the message `envoy.config.core.v3.Address`.
    """
    socket = holder.message("socket_address")
    host = socket.text("address")
    if host is not None:
        port = socket.text("port_value") or socket.text("named_port") or "0"
        return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"
    internal = holder.message("envoy_internal_address")
    if internal.value:
        tail = internal.text("endpoint_id")
        return f"envoy://{internal.text('server_listener_name') or ''}" + (f"/{tail}" if tail else "")
    return holder.text("pipe", "path")


def escape(key: str) -> str:
    """`key` as a step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


@cache
def spellings(name: str) -> tuple[str, ...]:
    """Every way in which a field `name` (snake case) is printed."""
    words = name.split("_")
    titled = "".join(word[:1].upper() + word[1:] for word in words)
    camel = words[0] + titled[len(words[0]) :]
    deprecated = (f"hidden_envoy_deprecated_{name}", f"hiddenEnvoyDeprecated{titled}")
    return tuple(dict.fromkeys((name, camel, *deprecated)))


def _as(kind: type, value: Any, pointer: str) -> Any:
    if not isinstance(value, kind):
        wanted = "an object" if kind is dict else "a list"
        raise NotTheFormError(f"not of the form: {pointer or 'the document'} is {_what(value)}, not {wanted}")
    return value


def _what(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
