"""Frame: the axes of a chart with their ticks, grid and titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from featkit.report.charts._scales import Scale, thinned
from featkit.report.charts._svg import node, text_width

__all__ = ["Axis", "Frame", "Tick"]

#: Font size of ticks and labels, in units of the view box.
SIZE = 12.0


@dataclass(frozen=True)
class Tick:
    """A marked value with its label, and a second line below it."""

    value: float
    label: str
    below: str = ""


@dataclass(frozen=True)
class Axis:
    """What one axis shows.

    Attributes:
        title: With the unit.
        ticks: Ascending; the first and the last one end the axis unless `span` does.
        log: Whether it is logarithmic.
        span: Smallest and largest value, where the ticks do not say it.
    """

    title: str
    ticks: Sequence[Tick]
    log: bool = False
    span: tuple[float, float] | None = None

    def scale(self, start: float, end: float) -> Scale:
        """Return the way to coordinates between `start` and `end`."""
        low, high = self.span or (self.ticks[0].value, self.ticks[-1].value)
        return Scale(low, high, start, end, log=self.log)


@dataclass(frozen=True)
class Frame:
    """Two axes around a plot.

    Attributes:
        x: The horizontal axis.
        y: The vertical axis.
        width: Of the whole drawing.
        height: Of the whole drawing.
        right: Room at the right for labels of lines.
        inset: Room between the vertical axis and the first value.
    """

    x: Axis
    y: Axis
    width: float
    height: float
    right: float = 18.0
    inset: float = 14.0
    top: float = field(default=26.0, init=False)

    @property
    def left(self) -> float:
        """Where the plot begins: right of the widest tick label."""
        return 10.0 + max(text_width(tick.label, SIZE) for tick in self.y.ticks)

    @property
    def bottom(self) -> float:
        """Where the plot ends: above the tick labels and the title."""
        lines = 2 if any(tick.below for tick in self.x.ticks) else 1
        return self.height - 26.0 - 16.0 * lines

    @property
    def to_x(self) -> Scale:
        """From values to horizontal coordinates."""
        return self.x.scale(self.left + self.inset, self.width - self.right)

    @property
    def to_y(self) -> Scale:
        """From values to vertical coordinates."""
        return self.y.scale(self.bottom, self.top)

    def draw(self) -> list[Element]:
        """Return grid, ticks and titles."""
        return [*self._rows(), *self._columns(), *self._titles()]

    def _rows(self) -> list[Element]:
        found, end = [], self.width - self.right
        for tick in self.y.ticks:
            y = self.to_y(tick.value)
            found.append(node("line", class_="grid", x1=self.left, x2=end, y1=y, y2=y))
            found.append(
                node("text", tick.label, class_="tick", x=self.left - 6, y=y + 4, text_anchor="end")
            )
        return found

    def _columns(self) -> list[Element]:
        places = [self.to_x(tick.value) for tick in self.x.ticks]
        widest = max(
            text_width(text, SIZE) for tick in self.x.ticks for text in (tick.label, tick.below)
        )
        axis = node(
            "line",
            class_="axis",
            x1=self.left,
            x2=self.width - self.right,
            y1=self.bottom,
            y2=self.bottom,
        )
        found = [axis]
        for index in thinned(places, gap=widest + 4):
            tick, x = self.x.ticks[index], places[index]
            found.append(
                node("line", class_="axis", x1=x, x2=x, y1=self.bottom, y2=self.bottom + 4)
            )
            for line, text in enumerate((tick.label, tick.below)):
                if text:
                    y = self.bottom + 18 + 15 * line
                    found.append(node("text", text, class_="tick", x=x, y=y, text_anchor="middle"))
        return found

    def _titles(self) -> list[Element]:
        middle = (self.left + self.width - self.right) / 2
        return [
            node("text", self.y.title, class_="title", x=0.0, y=11.0),
            node(
                "text",
                self.x.title,
                class_="title",
                x=middle,
                y=self.height - 6,
                text_anchor="middle",
            ),
        ]
