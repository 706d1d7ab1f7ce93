"""Analysis: what `istioctl analyze` said of the configuration."""

from collections.abc import Iterator

from meshforensics.formats.analyze import decode
from meshforensics.formats.kubernetes import object_id
from meshforensics.tables._declare import Column, Reading, Row, Table


def _rows(reading: Reading) -> Iterator[Row]:
    for one in reading.decoded(decode):
        named = one.kind and one.name
        yield (
            one.pointer,
            one.level,
            one.code,
            one.kind,
            one.namespace,
            one.name,
            object_id(one.kind or "", one.namespace, one.name or "") if named else None,
            one.message,
            one.origin,
        )


analysis = Table(
    id="analysis",
    about="Messages of istioctl analyze.",
    of="mesh",
    columns=(
        Column("level", "category", about="Error, Warning or Info.", source="istioctl analyze"),
        Column("code", "category", about="ISTnnnn.", source="istioctl analyze"),
        Column("kind", "category", about="Kind of the object.", source="istioctl analyze"),
        Column("namespace", "category", about="Namespace of the object.", source="istioctl analyze"),
        Column("name", "category", about="Name of the object.", source="istioctl analyze"),
        Column("object", "category", about="The object as Kind:namespace/name.", source="istioctl analyze"),
        Column("message", "str", about="What is wrong with it.", source="istioctl analyze"),
        Column("origin", "str", about="File and line, when files were analysed.", source="istioctl analyze"),
    ),
    reads={"foreign.analyze": _rows},
)
