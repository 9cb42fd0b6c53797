"""Marks: a colour and a shape for each series, told apart without colour too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, tostring

from featkit.report.charts._svg import node, number

__all__ = ["COLOURS", "Mark", "dodged", "swatch"]

#: Number of colours in the style sheet (`--c0`, `--c1`, …).
COLOURS = 8

_SHAPES: tuple[Sequence[tuple[float, float]], ...] = (
    (),  # a circle
    ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    ((0, -1.3), (1.2, 0.9), (-1.2, 0.9)),
    ((0, -1.4), (1.4, 0), (0, 1.4), (-1.4, 0)),
    ((0, 1.3), (1.2, -0.9), (-1.2, -0.9)),
)


@dataclass(frozen=True)
class Mark:
    """How a series looks.

    Attributes:
        index: Chooses colour and shape; after all colours the line is broken.
        hollow: Empty marks and a dashed line: fine-tuned methods.
    """

    index: int
    hollow: bool = False

    @property
    def classes(self) -> str:
        """For the style sheet."""
        dashes = (self.index // COLOURS) % 3
        parts = [f"s{self.index % COLOURS}", "hollow" if self.hollow else ""]
        return " ".join([*filter(None, parts), *([f"d{dashes}"] if dashes else [])])

    def draw(self, x: float, y: float, *, tip: str = "", size: float = 3.6) -> Element:
        """Return the mark at a place, with a tooltip."""
        title = [node("title", tip)] if tip else []
        shape = _SHAPES[self.index % len(_SHAPES)]
        if not shape:
            return node("circle", *title, class_="mark", cx=x, cy=y, r=size)
        corners = (f"{number(x + size * dx)},{number(y + size * dy)}" for dx, dy in shape)
        return node("polygon", *title, class_="mark", points=" ".join(corners))


def swatch(mark: Mark, *, line: bool = True) -> str:
    """Return a mark for a legend: on a short line, or as a spot."""
    shapes = (
        [node("line", class_="line", x1=1, x2=27, y1=7, y2=7), mark.draw(14, 7)]
        if line
        else [node("circle", class_="mark", cx=14, cy=7, r=5)]
    )
    drawn = node(
        "svg",
        node("g", *shapes, class_=mark.classes),
        class_="swatch",
        viewBox="0 0 28 14",
        width=28,
        height=14,
        aria_hidden="true",
    )
    return tostring(drawn, encoding="unicode")


def dodged(places: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Return the coordinates moved apart to at least `gap`, in their order, inside low to high.

    Where there is no room for all, the gap shrinks.
    """
    order = sorted(range(len(places)), key=lambda index: places[index])
    gap = min(gap, (high - low) / max(1, len(places) - 1))
    moved = [0.0] * len(places)
    floor = low
    for index in order:
        moved[index] = max(places[index], floor)
        floor = moved[index] + gap
    ceiling = high
    for index in reversed(order):
        moved[index] = min(moved[index], ceiling)
        ceiling = moved[index] - gap
    return moved
