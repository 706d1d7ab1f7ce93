"""Envoy's ``/runtime``: the values of runtime keys, layer by layer (Envoy admin.rst)."""

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._xds_message import Message, escape
from meshforensics.model import NotTheFormError

_WHAT = "an answer of /runtime"


class RuntimeKey(msgspec.Struct, frozen=True):
    """One key: its final value, and the name of the layer that set it."""

    pointer: str
    name: str
    value: str
    layer: str | None


class Runtime(msgspec.Struct, frozen=True):
    """Layers from the weakest to the strongest, and the keys sorted by name."""

    layers: tuple[str, ...]
    keys: tuple[RuntimeKey, ...]


def decode(payload: bytes) -> Runtime:
    """The keys of an answer of ``/runtime``.

    Raises:
        TruncatedError: the document ends in the middle.
        NotTheFormError: it is something else.
    """
    document = decode_json(payload, what=_WHAT)
    if not isinstance(document, dict) or not isinstance(document.get("entries"), dict):
        raise NotTheFormError(f"not {_WHAT}: JSON without entries")
    layers = document.get("layers")
    names = tuple(str(each) for each in layers) if isinstance(layers, list) else ()
    entries = dict(Message(document, "").entries("entries"))
    return Runtime(names, tuple(_key(name, entries[name], names) for name in sorted(entries)))


def _key(name: str, said: Message, layers: tuple[str, ...]) -> RuntimeKey:
    values = said.value.get("layer_values")
    told = list(zip(layers, values, strict=False)) if isinstance(values, list) else []
    layer = next((each for each, value in reversed(told) if value), None)
    return RuntimeKey(f"/entries/{escape(name)}", name, said.text("final_value") or "", layer)
