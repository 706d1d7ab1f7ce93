"""What ``capture`` prints."""

from collections.abc import Iterator

from meshforensics.capture import Captured, DryRun
from meshforensics.model.words import count_of


def summary(output: str, captured: Captured) -> Iterator[str]:
    """One line about the bundle, one for each way in which items are not there."""
    items = captured.bundle.items
    held = sum(item.stored for item in items)
    yield f"{output}: {count_of(len(items), 'item')}, {held} with evidence, id {captured.bundle.id}"
    for what, number in captured.counts.items():
        if what != "captured":
            yield f"  {number} {what}"


def plan(dry: DryRun) -> Iterator[str]:
    """The permissions, what would be asked for, then the sums."""
    for each in dry.checked:
        permission = each.permission
        name = f"{permission.resource}.{permission.group}" if permission.group else permission.resource
        where = permission.namespace or "everywhere"
        yield f"{_GIVEN[each.given]:<8} {permission.verb:<7} {name} ({where})"
    for kind, (number, size) in dry.asked.items():
        yield f"{number:>8} {kind}, about {max(1, size // 1024)} KiB"
    pods = "pods cannot be listed" if dry.pods is None else f"{count_of(dry.pods, 'pod')} of a mesh"
    yield f"{dry.where}: {pods}, {count_of(dry.requests, 'request')}, about {dry.size / 1024**2:.0f} MiB"


_GIVEN = {True: "given", False: "DENIED", None: "unknown"}
