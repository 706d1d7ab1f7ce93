"""Usage: CPU and working set of containers, as the metrics server told them."""

from collections.abc import Iterable, Iterator

from meshforensics.formats import kubectl
from meshforensics.formats.kubernetes import KubernetesObject, mapping, members, text
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._kubernetes import bytes_of, is_text_table, millicores_of, rows


def _metrics(one: KubernetesObject) -> Iterator[Row]:
    at = text(one.body, "timestamp")
    for index, container in enumerate(members(one.body, "containers")):
        used = mapping(container, "usage")
        yield (
            f"{one.pointer}/containers/{index}",
            one.namespace,
            one.name,
            str(container.get("name") or ""),
            millicores_of(used.get("cpu")),
            bytes_of(used.get("memory")),
            at,
        )


_objects = rows(["PodMetrics"], _metrics)


def _objects_or_text(reading: Reading) -> Iterable[Row] | None:
    if not is_text_table(reading):
        return _objects(reading)
    found = reading.decoded(kubectl.decode)
    if found and "CPU%" in found[0].cells:
        return None  # of nodes
    return [_from_table(row) for row in found]


def _from_table(row: kubectl.TextRow) -> Row:
    cells = row.cells
    cpu = next((text for name, text in cells.items() if name.startswith("CPU")), None)
    memory = next((text for name, text in cells.items() if name.startswith("MEMORY")), None)
    return (
        row.pointer,
        cells.get("NAMESPACE") or None,
        cells.get("POD") or cells.get("NAME"),
        cells.get("NAME") if "POD" in cells else None,
        millicores_of(cpu),
        bytes_of(memory),
        None,
    )


usage = Table(
    id="usage",
    about="CPU and memory that each container used, as the metrics server measured it.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Namespace of the pod.", source="metadata.namespace"),
        Column("pod", "category", about="Name of the pod.", source="metadata.name"),
        Column("container", "category", about="Container; missing for a whole pod.", source="containers[].name"),
        Column("cpu_m", "Int64", unit="millicores", about="CPU.", source="usage.cpu"),
        Column("memory_bytes", "Int64", unit="bytes", about="Working set.", source="usage.memory"),
        Column("at", "datetime64[us, UTC]", about="When it was measured, where said.", source="timestamp"),
    ),
    reads=dict.fromkeys(("kubernetes.usage", "kubernetes.pods.metrics.k8s.io", "foreign.top-pods"), _objects_or_text),
)
