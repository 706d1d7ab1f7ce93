"""Figures: well-formed SVG, the same bytes each time, nothing outside, every number as it was given."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshforensics.model import Plane
from meshforensics.report.figures import (
    NARROW,
    WIDE,
    Arrow,
    Bar,
    Box,
    Lane,
    Line,
    Map,
    Mark,
    Scale,
    Strip,
    draw_bars,
    draw_lanes,
    draw_lines,
    draw_planes,
    draw_strips,
    standalone,
)
from meshforensics.report.figures._svg import fit, width_of
from meshforensics.report.figures._time import Axis

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ATTACK = "<script>&\"'"


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def strips(width: float, label: str = "search → pricing") -> str:
    one = Strip(group="Fails here", label=label, said="2 of 5", passed=(ago(50), ago(30), ago(10)),
                failed=(ago(9), ago(0)))  # fmt: skip
    return draw_strips([one], ago(60), NOON, ago(9), width)


def bars(width: float, label: str = "5c443ed1…") -> str:
    scale = Scale(
        heading="Roots",
        bars=(
            Bar(label=label, start=ago(90), end=ago(30), said="ended", ended=True),
            Bar(label="ok", start=ago(90), end=ago(-90), said="left"),
        ),
    )
    return draw_bars([scale], NOON, width)


def lanes(width: float, label: str = "first failure") -> str:
    marks = (Mark(text=label, at=ago(20), clock="11:59:40", look="bad"), Mark(text="change", at=ago(30)))
    drawn = [Lane(plane=Plane.EDGE, marks=marks, empty=""), Lane(plane=Plane.CONTROL, marks=(), empty="nothing")]
    return draw_lanes(drawn, ago(60), NOON, ago(5), width)


def planes(width: float, label: str = "search") -> str:
    boxes = (Box(name=label, plane=Plane.SERVICE), Box(name="pricing", plane=Plane.SERVICE, hurt=True),
             Box(name="root", plane=Plane.STATE, about="trusted by 2"))  # fmt: skip
    arrows = (Arrow(caller=label, callee="pricing", total=60, failed=20, refused=True),)
    return draw_planes(Map(boxes=boxes, arrows=arrows, empty={Plane.EDGE: "no gateway was captured"}), width)


def lines(width: float, label: str = "seats-1") -> str:
    grown = Line(label=label, points=tuple((ago(60 - 10 * n), 8.0 * 2**20 * n) for n in range(6)), hurt=True)
    flat = Line(label="web-1", points=((ago(60), 2.0**20), (ago(10), 2.0**20)))
    return draw_lines([grown, flat], ago(30), lambda octets: f"{octets / 2**20:.0f} MiB", width)


DRAWN: list[Callable[..., str]] = [strips, bars, lanes, planes, lines]


@pytest.mark.parametrize("draw", DRAWN)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_it_is_well_formed_and_the_same_each_time(draw: Callable[..., str], width: int) -> None:
    root = ET.fromstring(draw(width))

    assert (root.tag, float(root.attrib["width"])) == ("{http://www.w3.org/2000/svg}svg", width)
    assert draw(width) == draw(width)


@pytest.mark.parametrize("draw", DRAWN)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_captured_names_are_text(draw: Callable[..., str], width: int) -> None:
    root = ET.fromstring(standalone(draw(width, ATTACK), "text{}"))

    assert root.findall(".//{*}script") == []
    assert "<script>" in "".join(root.itertext())


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_failed_calls_are_solid_and_passed_ones_pale_on_one_scale(width: int) -> None:
    drawn = ET.fromstring(strips(width)).findall("{*}rect")

    heights = {look: sum(float(each.attrib["height"]) for each in drawn if each.attrib.get("class") == look)
               for look in ("bad", "ok")}  # fmt: skip
    assert (heights["bad"], heights["ok"]) == (2 * 7, 3 * 7)  # two calls in the fullest bin are 14 high


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_what_had_ended_is_solid_and_stops_before_the_capture(width: int) -> None:
    root = ET.fromstring(bars(width))
    ended = next(each for each in root.findall("{*}rect") if each.attrib.get("class") == "bad")
    capture = next(each for each in root.findall("{*}line") if each.attrib.get("class") == "cut")

    assert float(ended.attrib["x"]) + float(ended.attrib["width"]) < float(capture.attrib["x1"])


def test_a_refusal_has_a_cross_and_its_numbers() -> None:
    root = ET.fromstring(planes(WIDE))

    assert [each for each in root.iter("{http://www.w3.org/2000/svg}path") if each.attrib.get("class") == "xx"] != []
    assert [text for each in root.iter() if (text := each.text) and "20 of 60" in text] != []


def test_an_empty_plane_says_why() -> None:
    assert "no gateway was captured" in planes(WIDE)
    assert ">nothing<" in lanes(WIDE)


@given(st.text(max_size=60), st.floats(20, 400))
def test_text_fits_its_room_and_keeps_both_ends(text: str, room: float) -> None:
    cut = fit(text, room)

    assert width_of(cut) <= room or cut == "…"
    assert cut == text or "…" in cut


@settings(max_examples=50)
@given(st.integers(0, 10**9), st.floats(0, 4 * 10**9), st.floats(60, 900))
def test_ticks_lie_on_the_axis_in_order(start: int, span: float, width: float) -> None:
    begin = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=start)
    axis = Axis(start=begin, end=begin + timedelta(seconds=span), left=10, right=10 + width)

    places = [x for x, _ in axis.ticks()]

    assert places == sorted(places)
    assert [x for x in places if not 10 <= x <= 10 + width] == []
    assert len(places) <= max(width // 90, 2) + 1


def test_labels_of_crossing_arrows_stand_apart() -> None:
    names = ("a1", "a2", "b1", "b2")
    calls = tuple(Arrow(caller=a, callee=b, total=60, failed=20) for a in names[:2] for b in names[2:])
    boxes = tuple(Box(name=name, plane=Plane.SERVICE) for name in names)

    root = ET.fromstring(draw_planes(Map(boxes=boxes, arrows=calls, empty={}), WIDE))

    halos = [
        tuple(float(each.attrib[name]) for name in ("x", "y", "width"))
        for each in root.findall("{*}rect")
        if each.attrib.get("class") == "halo"
    ]
    assert len(halos) == 4
    assert [
        (one, other)
        for one, other in combinations(halos, 2)
        if abs(one[0] + one[2] / 2 - other[0] - other[2] / 2) < (one[2] + other[2]) / 2 and abs(one[1] - other[1]) < 16
    ] == []


def test_an_arrow_goes_around_a_box_in_between() -> None:
    boxes = (Box(name="gateway", plane=Plane.EDGE), *(Box(name=each, plane=Plane.SERVICE) for each in ("a", "b")))
    calls = tuple(Arrow(caller="gateway", callee=each, total=1, failed=0) for each in ("a", "b"))

    root = ET.fromstring(draw_planes(Map(boxes=boxes, arrows=calls, empty={}), WIDE))

    nodes = [each.attrib for each in root.findall("{*}rect") if each.attrib.get("class") == "node"]
    upper = next(each for each in nodes if float(each["y"]) == sorted(float(node["y"]) for node in nodes)[1])
    left, right = float(upper["x"]), float(upper["x"]) + float(upper["width"])
    crossing = [
        each.attrib
        for each in root.findall("{*}line")
        if left < float(each.attrib["x1"]) < right and float(each.attrib["y2"]) > float(upper["y"]) + 1
    ]
    assert crossing == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_scale_begins_at_zero_in_round_steps_and_values_lie_on_it(width: int) -> None:
    root = ET.fromstring(lines(width))
    said = [text for each in root.findall("{*}text") if (text := each.text or "").endswith("MiB")]
    drawn = root.findall("{*}polyline")
    ends = [float(each.attrib["points"].split(" ")[-1].split(",")[1]) for each in drawn]

    assert said == ["0 MiB", "10 MiB", "20 MiB", "30 MiB", "40 MiB"]
    assert [each.attrib["class"] for each in drawn] == ["trend", "trend hurt"]
    assert ends == sorted(ends, reverse=True)


@given(st.lists(st.floats(0, 2**50), min_size=1, max_size=9))
def test_any_values_can_be_drawn(values: list[float]) -> None:
    one = Line(label="x", points=tuple((ago(-n), value) for n, value in enumerate(values)))

    assert ET.fromstring(draw_lines([one], None, str, WIDE)).findall("{*}polyline") != []


def test_names_of_lines_that_end_in_one_place_stay_in_the_figure_and_apart() -> None:
    flat = [Line(label=f"flat {number}", points=((ago(60), 1.0), (NOON, 1.0))) for number in range(6)]
    steep = Line(label="steep", points=((ago(60), 1.0), (NOON, 90.0)), hurt=True)

    drawing = ET.fromstring(draw_lines([*flat, steep], None, str, WIDE))

    named = [each for each in drawing.iter() if (each.text or "").startswith(("flat", "steep"))]
    heights = sorted(float(each.attrib["y"]) for each in named)
    assert len(heights) == 7
    assert min(after - before for before, after in pairwise(heights)) >= 15
    assert heights[-1] <= 190 + 4
