"""Charts as inline SVG: themed by the page's style sheet, described for screen readers."""

from featkit.report.charts._frame import Axis, Tick
from featkit.report.charts._marks import COLOURS, Mark, swatch
from featkit.report.charts._scales import enclosing, even_ticks, extent
from featkit.report.charts.cloud import class_clouds, cloud_chart
from featkit.report.charts.lines import Line, Point, Rule, line_chart
from featkit.report.charts.scatter import Dot, scatter_chart

__all__ = [
    "COLOURS",
    "Axis",
    "Dot",
    "Line",
    "Mark",
    "Point",
    "Rule",
    "Tick",
    "class_clouds",
    "cloud_chart",
    "enclosing",
    "even_ticks",
    "extent",
    "line_chart",
    "scatter_chart",
    "swatch",
]
