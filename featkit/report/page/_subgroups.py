"""Section: scores by what else is known of the images."""

from __future__ import annotations

from collections.abc import Sequence

from featkit.comparison import Estimate, Subgroup
from featkit.report.page.contents import Contents
from featkit.report.page.parts import Cell, Column, Part, Section, Table, Text
from featkit.report.page.words import DASH, count, percent, score_cell

__all__ = ["subgroups_section"]


def subgroups_section(contents: Contents) -> Section:
    """Return a table for each column of metadata, or a sentence where nothing is known."""
    found = contents.analysis.subgroups
    by_column: dict[str, list[Subgroup]] = {}
    for item in found:
        by_column.setdefault(item.column, []).append(item)
    parts: list[Part] = []
    if by_column:
        at = percent(contents.comparison.budgets[-1])
        text = (
            f"Accuracy, mean recall of the classes with enough lesions, and recall of the class in "
            f"focus at {at}, with 95% intervals. Subgroups hold different classes in different "
            "shares: compare methods along a row, not rows with one another. A dash stands for too "
            "few lesions to say."
        )
        parts = [Text(text), *(_table(contents, name, rows) for name, rows in by_column.items())]
    else:
        text = (
            "Nothing is known of the test images besides their class: the folders hold no "
            "images.csv with sex, age, site or type of diagnosis."
        )
        parts = [Text(text, "note")]
    return Section("subgroups", "Who is served how well", "Subgroups", parts)


def _table(contents: Contents, column: str, items: Sequence[Subgroup]) -> Table:
    methods = [method for method in contents.leaders if method in items[0].scores]
    focus = contents.comparison.focus
    names = ["Accuracy", "Mean recall", *([f"Recall of {focus}"] if focus else [])]
    columns = [Column(column, number=False)]
    columns += [Column(name) for name in ("Images", "Lesions", "Classes in the mean recall")]
    columns += [
        Column(f"{name}, {contents.look.name(method)}") for name in names for method in methods
    ]
    rows = []
    for item in items:
        scores = [item.scores[method] for method in methods]
        values = [
            *(score.accuracy for score in scores),
            *(score.mean_recall for score in scores),
            *(score.focus_recall for score in scores if focus),
        ]
        numbers = (item.images, item.lesions, len(item.classes))
        cells = [*(Cell(count(number)) for number in numbers), *map(_score, values)]
        rows.append([Cell(item.level), *cells])
    return Table(f"Test images by {column}", columns, rows)


def _score(estimate: Estimate | None) -> Cell:
    return Cell(DASH) if estimate is None else score_cell(estimate)
