"""Line charts: values along an axis with bands or whiskers, one line a series."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.etree.ElementTree import Element

from featkit.report.charts._frame import SIZE, Axis, Frame
from featkit.report.charts._marks import Mark, dodged
from featkit.report.charts._svg import drawing, node, number, text_width

__all__ = ["Line", "Point", "Rule", "line_chart"]

_LONGEST_LABEL = 24


@dataclass(frozen=True)
class Point:
    """A value with its interval; NaN leaves a gap."""

    x: float
    y: float
    low: float = math.nan
    high: float = math.nan
    tip: str = ""


@dataclass(frozen=True)
class Line:
    """A series.

    Attributes:
        name: For its label.
        mark: How it looks.
        points: Ascending in x.
        shaded: Whether its intervals are drawn as a band, where bands are drawn.
    """

    name: str
    mark: Mark
    points: Sequence[Point]
    shaded: bool = True

    def pieces(self) -> Iterator[list[Point]]:
        """Yield the stretches without a gap."""
        for there, stretch in groupby(self.points, key=lambda point: math.isfinite(point.y)):
            if there:
                yield list(stretch)


@dataclass(frozen=True)
class Rule:
    """A line that means something: chance, no difference, perfect calibration.

    Attributes:
        y: Value at the left end.
        name: Stands at the right end.
        to: Value at the right end; None = a level line.
    """

    y: float
    name: str
    to: float | None = None


def line_chart(
    lines: Sequence[Line],
    *,
    x: Axis,
    y: Axis,
    label: str,
    width: float,
    height: float,
    rules: Sequence[Rule] = (),
    names: bool = False,
    whiskers: bool = False,
) -> str:
    """Draw lines as SVG.

    Args:
        lines: The series.
        x: Horizontal axis.
        y: Vertical axis.
        label: What the chart shows, in words, for screen readers.
        width: Of the view box.
        height: Of the view box.
        rules: Horizontal lines.
        names: Whether each line's name stands at its end.
        whiskers: Whether intervals are whiskers instead of bands.
    """
    room = max((text_width(_short(line.name), SIZE) for line in lines), default=0.0) + 18
    frame = Frame(x, y, width, height, right=room if names else 18.0)
    drawn = frame.draw()
    drawn += [element for rule in rules for element in _rule(rule, frame)]
    alone = all(len(line.points) < 2 for line in lines)
    room = 0.6 * width if alone else 24.0 if whiskers else 0.0
    spread = _spread(len(lines), step=24.0 if alone else 7.0, room=room)
    if not whiskers:
        shaded = [line for line in lines if line.shaded]
        drawn += [_band(piece, line.mark, frame) for line in shaded for piece in line.pieces()]
    for line, shift in zip(lines, spread, strict=True):
        drawn.append(_line(line, frame, shift, whiskers=whiskers))
    if names:
        drawn += _names(lines, frame)
    return drawing(width, height, drawn, label=label)


def _spread(count: int, *, step: float, room: float) -> list[float]:
    """Return how far each line is moved to the side, so that whiskers do not cover one another."""
    step = min(step, room / max(1, count))
    return [step * (place - (count - 1) / 2) for place in range(count)]


def _rule(rule: Rule, frame: Frame) -> list[Element]:
    start = frame.left if rule.to is None else frame.to_x.start
    end, y1 = frame.width - frame.right, frame.to_y(rule.y)
    y2 = y1 if rule.to is None else frame.to_y(rule.to)
    return [
        node("line", class_="rule", x1=start, x2=end, y1=y1, y2=y2),
        node("text", rule.name, class_="tick", x=end, y=y2 - 4, text_anchor="end"),
    ]


def _band(piece: Sequence[Point], mark: Mark, frame: Frame) -> Element:
    sure = [point for point in piece if math.isfinite(point.low + point.high)]
    corners = [(point.x, point.high) for point in sure]
    corners += [(point.x, point.low) for point in reversed(sure)]
    return node("polygon", class_=f"band {mark.classes}", points=_path(corners, frame))


def _line(line: Line, frame: Frame, shift: float, *, whiskers: bool) -> Element:
    group: list[Element] = []
    for piece in line.pieces():
        if len(piece) > 1:
            places = _path([(point.x, point.y) for point in piece], frame, shift)
            group.append(node("polyline", class_="line", points=places))
        for point in piece:
            x = frame.to_x(point.x) + shift
            if (whiskers or len(piece) == 1) and math.isfinite(point.low + point.high):
                ends = {"y1": frame.to_y(point.low), "y2": frame.to_y(point.high)}
                group.append(node("line", class_="whisker", x1=x, x2=x, **ends))
            group.append(line.mark.draw(x, frame.to_y(point.y), tip=point.tip))
    return node("g", *group, class_=line.mark.classes)


def _path(corners: Sequence[tuple[float, float]], frame: Frame, shift: float = 0.0) -> str:
    return " ".join(f"{number(frame.to_x(x) + shift)},{number(frame.to_y(y))}" for x, y in corners)


def _names(lines: Sequence[Line], frame: Frame) -> list[Element]:
    ends = []
    for line in lines:
        pieces = list(line.pieces())
        if pieces:
            ends.append((line, pieces[-1][-1]))
    wanted = [frame.to_y(point.y) for _, point in ends]
    places = dodged(wanted, gap=SIZE + 2, low=frame.top, high=frame.bottom)
    x = frame.width - frame.right + 8
    return [
        node("text", _short(line.name), class_="name", x=x, y=place + 4)
        for (line, _), place in zip(ends, places, strict=True)
    ]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "…"
