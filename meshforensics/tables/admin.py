"""What else a proxy's admin port tells: bound listeners, what is awaited, runtime keys."""

from collections.abc import Iterable

from meshforensics.formats import init_dump, listeners, runtime
from meshforensics.tables._declare import Column, Reading, Row, Table


def _bound(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(listeners.decode).listeners:
        yield (each.pointer, each.name, each.address)


def _awaited(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(init_dump.decode).targets:
        yield (each.pointer, each.manager, each.target)


def _keys(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(runtime.decode).keys:
        yield (each.pointer, each.name, each.value, each.layer)


bound_listeners = Table(
    id="bound_listeners",
    about="Addresses that each proxy has really bound; a rejected new listener is not among them.",
    of="pod",
    columns=(
        Column("name", "category", about="Name of the listener; random for a nameless one.", source="/listeners"),
        Column("address", "category", about="Address, as ip:port.", source="/listeners"),
    ),
    reads={"envoy.listeners": _bound},
)

init_targets = Table(
    id="init_targets",
    about="What a proxy waits for before it serves; no rows for one that waits for nothing.",
    of="pod",
    columns=(
        Column("manager", "category", about="Init manager that waits.", source="unready_targets_dumps[].name"),
        Column("target", "str", about="What it waits for.", source="unready_targets_dumps[].target_names[]"),
    ),
    reads={"envoy.init_dump": _awaited},
)

runtime_keys = Table(
    id="runtime_keys",
    about="Runtime keys of each proxy.",
    of="pod",
    columns=(
        Column("name", "category", about="Name of the key.", source="entries"),
        Column("setting", "str", about="Its final value.", source="entries.*.final_value"),
        Column("layer", "category", about="Strongest layer that sets it.", source="layers, layer_values"),
    ),
    reads={"envoy.runtime": _keys},
)
