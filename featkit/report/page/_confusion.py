"""Section: confusion matrices."""

from __future__ import annotations

import math

from featkit.comparison import ConfusionMatrix
from featkit.report.files import best_of_each_kind
from featkit.report.page.contents import Contents
from featkit.report.page.parts import Cell, Column, Folded, Part, Section, Table
from featkit.report.page.words import count, percent

__all__ = ["confusion_section"]

#: More classes leave no room for counts below the shares.
_ROOMY = 10


def confusion_section(contents: Contents) -> Section:
    """Return the matrices of the best method of each side; those of other kinds are folded."""
    at = contents.comparison.budgets[-1]
    matrices = {m.method: m for m in contents.analysis.confusion if m.budget == at}
    shown = [method for method in contents.leaders if method in matrices]
    others = [
        method
        for method in best_of_each_kind(contents.comparison)
        if method not in shown and method in matrices
    ]
    parts: list[Part] = [_table(contents, matrices[method]) for method in shown]
    if others:
        tables = [_table(contents, matrices[method]) for method in others]
        parts.append(Folded("Confusion matrices of other methods", tables))
    return Section("confusion", "What is taken for what", "Confusion", parts)


def _table(contents: Contents, matrix: ConfusionMatrix) -> Table:
    classes = contents.comparison.classes
    rows = []
    for index, name in enumerate(classes):
        cells = [
            Cell(
                "–" if math.isnan(rate) else f"{rate:.2f}".removeprefix("0"),
                _mean(number) if len(classes) <= _ROOMY else "",
                level=0.0 if math.isnan(rate) else rate,
                strong=index == column,
            )
            for column, (rate, number) in enumerate(
                zip(matrix.rates[index], matrix.counts[index], strict=True)
            )
        ]
        rows.append([Cell(name, f"{count(matrix.images[index])} images"), *cells])
    caption = (
        f"{contents.look.name(matrix.method)} at {percent(matrix.budget)}: share of each true "
        "class (rows) that is predicted as each class (columns), mean over draws"
        + ("; below it the mean number of images" if len(classes) <= _ROOMY else "")
    )
    columns = [Column("True class", number=False), *(Column(name) for name in classes)]
    return Table(caption, columns, rows, dense=True)


def _mean(number: float) -> str:
    """Return a mean over draws, which may lie between two counts."""
    return f"{number:,.1f}".removesuffix(".0")
