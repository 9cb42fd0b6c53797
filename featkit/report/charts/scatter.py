"""Scatter charts: score against cost, with the front of what nothing else beats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from featkit.report.charts._frame import SIZE, Axis, Frame
from featkit.report.charts._marks import Mark
from featkit.report.charts._svg import drawing, node, number, text_width

__all__ = ["Dot", "scatter_chart"]


@dataclass(frozen=True)
class Dot:
    """A point with the interval of its height.

    Attributes:
        x: Above 0 on a logarithmic axis.
        y: Height.
        low: Lower end of its interval.
        high: Upper end.
        mark: How it looks.
        name: Stands beside it, or "".
        tip: Tooltip.
        front: Whether no other point is better in both.
    """

    x: float
    y: float
    low: float
    high: float
    mark: Mark
    name: str = ""
    tip: str = ""
    front: bool = False


def scatter_chart(
    dots: Sequence[Dot], *, x: Axis, y: Axis, label: str, width: float, height: float
) -> str:
    """Draw points as SVG, those on the front joined by steps and shown in full strength.

    Args:
        dots: What is drawn.
        x: Horizontal axis, cost: less is better.
        y: Vertical axis, score.
        label: What the chart shows, in words, for screen readers.
        width: Of the view box.
        height: Of the view box.
    """
    frame = Frame(x, y, width, height)
    shown = [dot for dot in dots if math.isfinite(dot.x + dot.y)]
    front = sorted((dot for dot in shown if dot.front), key=lambda dot: dot.x)
    drawn = [*frame.draw(), *_steps(front, frame)]
    drawn += [_dot(dot, frame) for dot in sorted(shown, key=lambda dot: dot.front)]
    drawn += _names(front, frame)
    return drawing(width, height, drawn, label=label)


def _steps(front: Sequence[Dot], frame: Frame) -> list[Element]:
    if not front:
        return []
    corners, level = [], front[0].y
    for dot in front:
        corners += [(frame.to_x(dot.x), frame.to_y(level)), (frame.to_x(dot.x), frame.to_y(dot.y))]
        level = dot.y
    corners.append((frame.width - frame.right, frame.to_y(level)))
    path = " ".join(f"{number(x)},{number(y)}" for x, y in corners)
    return [node("polyline", class_="front", points=path)]


def _dot(dot: Dot, frame: Frame) -> Element:
    x, parts = frame.to_x(dot.x), []
    if math.isfinite(dot.low + dot.high):
        ends = {"y1": frame.to_y(dot.low), "y2": frame.to_y(dot.high)}
        parts.append(node("line", class_="whisker", x1=x, x2=x, **ends))
    parts.append(dot.mark.draw(x, frame.to_y(dot.y), tip=dot.tip, size=4.2))
    beaten = "" if dot.front else " beaten"
    return node("g", *parts, class_=dot.mark.classes + beaten)


def _names(front: Sequence[Dot], frame: Frame) -> list[Element]:
    """Write each name once, from the best score down, where it covers no other name."""
    drawn: list[Element] = []
    taken: list[tuple[float, float, float]] = []
    written = set()
    for dot in reversed(front):
        x, y, anchor = _place(dot, frame)
        width = text_width(dot.name, SIZE)
        start = x - width if anchor == "end" else x
        free = all(
            start > right or start + width < left or abs(y - level) > SIZE
            for left, right, level in taken
        )
        if dot.name and dot.name not in written and free:
            drawn.append(node("text", dot.name, class_="name", x=x, y=y, text_anchor=anchor))
            taken.append((start, start + width, y))
            written.add(dot.name)
    return drawn


def _place(dot: Dot, frame: Frame) -> tuple[float, float, str]:
    """Return where a name goes: left of the mark and above it, or right of it near the edge."""
    x, y = frame.to_x(dot.x), frame.to_y(dot.y) - 7
    fits = x - text_width(dot.name, SIZE) > frame.left
    return (x - 6.0, y, "end") if fits else (x + 6.0, y, "start")
