"""Figures as SVG text: drawn from plain numbers, the same bytes for the same numbers."""

from meshforensics.report.figures._bars import Bar, Scale, draw_bars
from meshforensics.report.figures._lanes import Lane, Mark, draw_lanes, list_lanes
from meshforensics.report.figures._lines import Line, draw_lines
from meshforensics.report.figures._planes import Arrow, Box, Map, draw_planes
from meshforensics.report.figures._strips import Strip, draw_strips
from meshforensics.report.figures._svg import NARROW, WIDE, standalone

__all__ = [
    "NARROW",
    "WIDE",
    "Arrow",
    "Bar",
    "Box",
    "Lane",
    "Line",
    "Map",
    "Mark",
    "Scale",
    "Strip",
    "draw_bars",
    "draw_lanes",
    "draw_lines",
    "draw_planes",
    "draw_strips",
    "list_lanes",
    "standalone",
]
