"""Section: learning curves as power laws, and how many more labels a score would take."""

from __future__ import annotations

from featkit.evaluate import METRICS
from featkit.report.page.contents import Contents
from featkit.report.page.parts import Cell, Column, Part, Section, Table, Text
from featkit.report.page.words import digits

__all__ = ["labels_section"]


def labels_section(contents: Contents) -> Section:
    """Return the fitted laws, and the lesions that a target score would take."""
    laws, needed = contents.analysis.laws, contents.analysis.needed
    parts: list[Part] = []
    if needed:
        parts.append(_needed(contents))
    if laws:
        parts.append(_laws(contents))
    else:
        text = "Fewer than four budgets, or a metric of which less is better: no curve was fitted."
        parts.append(Text(text, "note"))
    return Section("labels", "How many more labels?", "More labels", parts)


def _needed(contents: Contents) -> Table:
    needed = contents.analysis.needed
    target = next(iter(needed.values())).target
    title = METRICS[contents.comparison.metric].title.lower()
    return Table(
        f"Training lesions that would bring each method to {title} {target:.3g}",
        [Column("Method", number=False), Column("Lesions in all", number=False)],
        [
            [Cell(contents.look.name(name)), Cell(_words(item.words))]
            for name, item in needed.items()
        ],
        note="A power law is fitted to each resample of the learning curve and followed to at most "
        "ten times the largest budget. It promises nothing about lesions of another kind.",
    )


def _words(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _laws(contents: Contents) -> Table:
    rows = []
    for item in contents.analysis.laws:
        cells = []
        for name in ("a", "b", "c"):
            low, high = item.intervals[name]
            cells.append(Cell(f"{getattr(item.law, name):.3g}", f"[{low:.3g}, {high:.3g}]"))
        rows.append([Cell(contents.look.name(item.method)), *cells, Cell(digits(item.r_squared))])
    columns = [Column("Method", number=False)]
    columns += [Column(name) for name in ("a", "b", "c", "R²")]
    return Table(
        "The error as a power law of the number n of training lesions: a · n^(−b) + c",
        columns,
        rows,
        note="c is where the curve levels off, b how fast it falls. 95% intervals over lesions "
        "and draws.",
    )
