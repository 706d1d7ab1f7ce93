"""ServiceEntries: hosts that the mesh knows beside the cluster's services."""

from collections.abc import Iterator

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._specs import EXPORT_TO, OWNER, Spec, frame_of, members, specs, text_of, whole, words


def _hosts(custom_resources: pd.DataFrame) -> pd.DataFrame:
    return frame_of(service_entry_hosts, (row for spec in specs(custom_resources, "ServiceEntry") for row in _of(spec)))


def _of(spec: Spec) -> Iterator[dict[str, object]]:
    ports = members(spec.body, "ports")
    shared = {
        "export_to": words(spec.body, "exportTo"),
        "ports": tuple(f"{whole(port.get('number'))}/{(text_of(port, 'protocol') or '').upper()}" for port in ports),
        "resolution": text_of(spec.body, "resolution"),
        "addresses": words(spec.body, "addresses"),
        "external": text_of(spec.body, "location") != "MESH_INTERNAL",
    }
    for number, host in enumerate(words(spec.body, "hosts")):
        yield spec.row(f"/hosts/{number}", host=host, **shared)


service_entry_hosts = Table(
    id="service_entry_hosts",
    about="Hosts of ServiceEntries, one row each.",
    of="mesh",
    columns=(
        *OWNER,
        Column("host", "category", about="Host; may begin with a wildcard.", source="hosts[]"),
        EXPORT_TO,
        Column("ports", "object", about="Ports as number/protocol, as tuple.", source="ports"),
        Column("resolution", "category", about="NONE, STATIC, DNS, …", source="resolution"),
        Column("addresses", "object", about="Virtual addresses, as tuple.", source="addresses"),
        Column("external", "boolean", about="Outside of the mesh.", source="location"),
    ),
    derives=_hosts,
)
