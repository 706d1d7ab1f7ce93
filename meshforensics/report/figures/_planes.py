"""The four planes: who calls whom, what each plane holds, and where it breaks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from meshforensics.model import Plane
from meshforensics.report.figures._lanes import Lane, Mark, list_lanes
from meshforensics.report.figures._svg import NARROW, box, cross, fit, line, path, svg, width_of, words

_NAME = 92.0
_BOX = (116.0, 30.0)
_PITCH = 68.0
_GUTTER = 14.0
_BOLD = 14.4
"""Bold text of size 12 is as wide as common text of this size."""
_SHARES = (0.5, 0.36, 0.64, 0.26, 0.74)
"""Where along an arrow its label may stand, best first."""

Point = tuple[float, float]
Places = Mapping[str, Point]


@dataclass(frozen=True, kw_only=True)
class Box:
    """One part of a plane: a workload, a root, an istiod. `hurt` parts are drawn with a thick edge."""

    name: str
    plane: Plane
    about: str = ""
    hurt: bool = False


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """Calls from one workload to another."""

    caller: str
    callee: str
    total: int
    failed: int
    refused: bool = False


@dataclass(frozen=True, kw_only=True)
class Map:
    """What is drawn: boxes on planes, arrows between them, and a sentence for each empty plane."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    empty: Mapping[Plane, str]


def draw_planes(drawn: Map, width: float) -> str:
    """Edge, service, state, control from top to bottom; callers to the left of those they call."""
    if width <= NARROW:
        return list_lanes(_as_lanes(drawn), width)
    columns = _columns(drawn)
    places = _places(drawn, columns, width)
    parts: list[str] = []
    y = 4.0
    for plane in Plane:
        height = _height(drawn, columns, plane)
        own = [each for each in drawn.boxes if each.plane == plane]
        parts += _lane(plane, y, width, height)
        if not own:
            parts.append(words(_NAME + 12, y + 20, drawn.empty.get(plane, "not captured"), "m"))
        if plane in {Plane.STATE, Plane.CONTROL}:
            parts += _shelf(own, y, width)
        y += height + 4
    arrows = [part for arrow in drawn.arrows for part in _arrow(arrow, places)]
    boxes = [
        part for each in drawn.boxes if each.name in places for part in _box(each, *places[each.name], width=_BOX[0])
    ]
    return svg(width, y, [*parts, *arrows, *boxes, *_labels(drawn.arrows, places)])


def _as_lanes(drawn: Map) -> list[Lane]:
    lanes = []
    for plane in Plane:
        marks = [
            Mark(text=f"{arrow.caller} → {arrow.callee}: {arrow.failed} of {arrow.total} failed",
                 look="bad" if arrow.refused else "")
            for arrow in drawn.arrows
            if any(each.name == arrow.caller and each.plane == plane for each in drawn.boxes)
        ]  # fmt: skip
        if plane in {Plane.STATE, Plane.CONTROL}:
            marks = [
                Mark(text=f"{each.name}: {each.about}" if each.about else each.name)
                for each in drawn.boxes
                if each.plane == plane
            ]
        lanes.append(Lane(plane=plane, marks=tuple(marks), empty=drawn.empty.get(plane, "not captured")))
    return lanes


def _columns(drawn: Map) -> dict[str, int]:
    """How far each workload is from the first caller; a loop of calls ends where it began."""
    callers = sorted({box.name for box in drawn.boxes if box.plane in {Plane.EDGE, Plane.SERVICE}})
    edge = {box.name for box in drawn.boxes if box.plane == Plane.EDGE}
    depth = dict.fromkeys(callers, 0)
    for _ in range(len(callers)):
        before = dict(depth)
        for arrow in drawn.arrows:
            if arrow.caller in depth and arrow.callee in depth and arrow.caller != arrow.callee:
                step = 0 if arrow.caller in edge else 1
                deeper = depth[arrow.caller] + step
                if depth[arrow.callee] < deeper <= _most(len(callers)):
                    depth[arrow.callee] = deeper
        if depth == before:
            break
    return depth


def _most(count: int) -> int:
    return min(count, 3)


def _rows(drawn: Map, columns: Mapping[str, int], plane: Plane) -> dict[int, list[str]]:
    rows: dict[int, list[str]] = {}
    for each in drawn.boxes:
        if each.plane == plane:
            column = len(rows.get(0, [])) if plane == Plane.EDGE else columns[each.name]
            rows.setdefault(0 if plane == Plane.EDGE else column, []).append(each.name)
    return rows


def _height(drawn: Map, columns: Mapping[str, int], plane: Plane) -> float:
    own = [each for each in drawn.boxes if each.plane == plane]
    if not own:
        return 34
    if plane in {Plane.STATE, Plane.CONTROL}:
        return 12 + 44 * -(-len(own) // 2)
    if plane == Plane.EDGE:
        return 14 + 36 * -(-len(own) // 4)
    tallest = max(len(names) for names in _rows(drawn, columns, plane).values())
    return 16 + _PITCH * tallest


def _places(drawn: Map, columns: Mapping[str, int], width: float) -> dict[str, Point]:
    """The middle of each box of the edge and the service plane."""
    room = width - _NAME - 12 - _GUTTER
    places: dict[str, Point] = {}
    edge = [each.name for each in drawn.boxes if each.plane == Plane.EDGE]
    for number, name in enumerate(edge):
        places[name] = (_NAME + 12 + _GUTTER + _BOX[0] / 2 + (number % 4) * room / 4, 4 + 25 + (number // 4) * 36)
    top = 4 + _height(drawn, columns, Plane.EDGE) + 4
    height = _height(drawn, columns, Plane.SERVICE)
    rows = _rows(drawn, columns, Plane.SERVICE)
    most = max(rows, default=0)
    for column, names in rows.items():
        x = _NAME + 12 + _GUTTER + _BOX[0] / 2 + (column * (room - _BOX[0] - 8) / most if most else 0)
        for number, name in enumerate(names):
            places[name] = (x, top + height * (number + 0.5) / len(names))
    return places


def _lane(plane: Plane, y: float, width: float, height: float) -> Iterator[str]:
    yield box(0.5, y + 0.5, width - 1, height - 1, "band")
    yield box(0, y, 4, height, f"p-{plane}")
    yield words(12, y + 20, plane.value.capitalize(), "h")


def _shelf(boxes: Sequence[Box], y: float, width: float) -> Iterator[str]:
    """Boxes of the state and the control plane: two a row, with what they hold."""
    room = (width - _NAME - 22) / 2
    for number, each in enumerate(boxes):
        x, top = _NAME + 12 + (number % 2) * (room + 6), y + 7 + (number // 2) * 44
        yield box(x, top, room - 2, 38, "node hurt" if each.hurt else "node")
        yield words(x + 8, top + 16, fit(each.name, room - 20, _BOLD), "h")
        yield words(x + 8, top + 31, fit(each.about, room - 20, 11), "m")


def _box(each: Box, x: float, y: float, width: float) -> Iterator[str]:
    look = "node hurt" if each.hurt else "node"
    yield box(x - width / 2, y - _BOX[1] / 2, width, _BOX[1], look, f"{each.name} {each.about}".strip())
    yield words(x, y + 4, fit(each.name, width - 10, _BOLD), "h", anchor="middle")


def _route(arrow: Arrow, places: Places) -> list[Point]:
    """The corners of an arrow: straight, or down the gutter where a box stands in between; empty if not drawn."""
    if arrow.caller not in places or arrow.callee not in places or arrow.caller == arrow.callee:
        return []
    (x1, y1), (x2, y2) = places[arrow.caller], places[arrow.callee]
    if abs(x2 - x1) >= _BOX[0]:
        side = _BOX[0] / 2 if x2 > x1 else -_BOX[0] / 2
        return [(x1 + side, y1), (x2 - side, y2)]
    if any(abs(x - x2) < _BOX[0] and min(y1, y2) < y < max(y1, y2) for x, y in places.values()):
        gutter = min(x1, x2) - _BOX[0] / 2 - _GUTTER / 2
        return [(x1 - _BOX[0] / 2, y1), (gutter, y1), (gutter, y2), (x2 - _BOX[0] / 2, y2)]
    half = _BOX[1] / 2 if y2 > y1 else -_BOX[1] / 2
    return [(x1, y1 + half), (x2, y2 - half)]


def _look(arrow: Arrow) -> str:
    if arrow.refused:
        return "bad"
    return "sick" if arrow.failed else "ok"


def _arrow(arrow: Arrow, places: Places) -> Iterator[str]:
    corners = _route(arrow, places)
    for (x1, y1), (x2, y2) in pairwise(corners):
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 or 1
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        last = (x2, y2) == corners[-1]
        yield line(x1, y1, x2 - 6 * ux * last, y2 - 6 * uy * last, f"e-{_look(arrow)}")
        if last:
            left = (x2 - 9 * ux + 4 * uy, y2 - 9 * uy - 4 * ux)
            right = (x2 - 9 * ux - 4 * uy, y2 - 9 * uy + 4 * ux)
            yield path(((x2, y2), left, right), f"h-{_look(arrow)}")


def _labels(arrows: Sequence[Arrow], places: Places) -> Iterator[str]:
    """`3 of 7` on each arrow, where no other label and no box is in the way."""
    taken = [(x, y, *_BOX) for x, y in places.values()]
    for arrow in arrows:
        corners = _route(arrow, places)
        if corners:
            text = f"{arrow.failed} of {arrow.total}"
            wide = width_of(text, _BOLD) + 18 if arrow.refused else width_of(text) + 6
            x, y = _free(corners, places[arrow.callee], wide, taken)
            taken.append((x, y, wide, 16))
            yield box(x - wide / 2, y - 8, wide, 16, "halo")
            if arrow.refused:
                yield cross(x - wide / 2 + 8, y, 3.5)
            look = "b" if arrow.refused else "n"
            yield words(x + (7 if arrow.refused else 0), y + 4, text, look, anchor="middle")


def _free(corners: Sequence[Point], callee: Point, wide: float, taken: Sequence[tuple[float, ...]]) -> Point:
    """Where a label so wide stands: on the arrow; above its end where the arrow is bent."""
    (x1, y1), (x2, y2) = corners[0], corners[-1]
    on_arrow = [(x1 + (x2 - x1) * share, y1 + (y2 - y1) * share) for share in _SHARES]
    tried = on_arrow if len(corners) == 2 else [(callee[0], callee[1] - _BOX[1] / 2 - 9)]

    def in_the_way(point: Point) -> int:
        x, y = point
        return sum(abs(x - a) < (wide + w) / 2 and abs(y - b) < (16 + h) / 2 for a, b, w, h in taken)

    return min(tried, key=in_the_way)
