"""Parts of a page: what stands in it, without a word of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Cell",
    "Code",
    "Column",
    "Fact",
    "Figure",
    "Folded",
    "Gallery",
    "Legend",
    "Page",
    "Panel",
    "Part",
    "Picture",
    "Section",
    "Table",
    "Text",
]


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: What it says.
        note: Smaller, below it: an interval, a count.
        level: Strength of its tint, 0 to 1; None = no tint.
        strong: Whether it stands out.
    """

    text: str
    note: str = ""
    level: float | None = None
    strong: bool = False


@dataclass(frozen=True)
class Column:
    """Head of a column, and whether it holds numbers."""

    title: str
    number: bool = True


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row names the row.

    Attributes:
        caption: What it shows.
        columns: Heads.
        rows: Each as long as the columns.
        note: Stands below it.
        dense: Whether it is a matrix: narrow columns, tinted cells.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    dense: bool = False


@dataclass(frozen=True)
class Legend:
    """A name with the mark that stands for it, as SVG."""

    swatch: str
    name: str


@dataclass(frozen=True)
class Panel:
    """One drawing of a figure.

    Attributes:
        title: Above it, or "".
        wide: SVG for wide places.
        narrow: SVG for narrow ones, or "" where `wide` serves both.
    """

    title: str
    wide: str
    narrow: str = ""


@dataclass(frozen=True)
class Figure:
    """Drawings with their caption, legend and data.

    Attributes:
        title: What it shows.
        panels: At least one.
        caption: How to read it.
        legend: Names of the marks.
        tables: The data, folded.
        open: Whether the data is unfolded.
    """

    title: str
    panels: Sequence[Panel]
    caption: str
    legend: Sequence[Legend] = ()
    tables: Sequence[Table] = ()
    open: bool = False


@dataclass(frozen=True)
class Text:
    """A paragraph; `tone` is `plain`, `note` or `warning`."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True)
class Code:
    """Lines to be copied."""

    title: str
    text: str


@dataclass(frozen=True)
class Picture:
    """An image with its caption.

    Attributes:
        source: Data URI.
        alt: What it shows.
        lines: Caption; the first line is its title.
    """

    source: str
    alt: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side."""

    title: str
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Folded:
    """Tables behind a title that unfolds them."""

    title: str
    tables: Sequence[Table]


Part: TypeAlias = Figure | Table | Text | Code | Gallery | Folded


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        key: Its anchor.
        title: Heading.
        short: Name in the table of contents.
        parts: In order.
    """

    key: str
    title: str
    short: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Fact:
    """A key number."""

    value: str
    name: str
    note: str = ""


@dataclass(frozen=True)
class Page:
    """All that the template needs.

    Attributes:
        title: Of the document.
        question: Heading.
        answer: One sentence.
        caveats: Further sentences.
        warning: Red banner, or "".
        facts: Key numbers.
        sections: In order.
        foot: Last line.
    """

    title: str
    question: str
    answer: str
    caveats: Sequence[str]
    warning: str
    facts: Sequence[Fact]
    sections: Sequence[Section]
    foot: str
