"""Section: recall of each class along the budgets."""

from __future__ import annotations

from collections.abc import Sequence

from featkit.comparison import ClassResult
from featkit.report.charts import Line, Point, line_chart
from featkit.report.files import best_of_each_kind
from featkit.report.page.axes import budget_axis, share_axis
from featkit.report.page.contents import Contents
from featkit.report.page.parts import Cell, Column, Figure, Panel, Section, Table
from featkit.report.page.sizes import SMALL
from featkit.report.page.words import DASH, count, digits, interval_words, percent, score_cell

__all__ = ["recall_section"]

#: More lines with bands than these hide one another in a small panel.
_LINES = 4


def recall_section(contents: Contents) -> Section:
    """Return recall by class for the best method of each kind."""
    comparison, look = contents.comparison, contents.look
    every = best_of_each_kind(comparison)
    ranked = [cell.method for cell in comparison.ranked() if cell.method in every]
    methods = list(dict.fromkeys([*contents.leaders, *ranked]))[:_LINES]
    results = {(r.method, r.class_name, r.budget): r for r in comparison.by_class}
    panels = [
        _panel(contents, name, methods, [r for r in comparison.by_class if r.class_name == name])
        for name in comparison.classes
    ]
    rows = [
        [
            Cell(name, look.name(method)),
            *(
                score_cell(result.recall) if result else Cell(DASH)
                for result in (results.get((method, name, b)) for b in comparison.budgets)
            ),
        ]
        for name in comparison.classes
        for method in every
    ]
    table = Table(
        "Recall with 95% interval by class and method",
        [Column("Class", number=False), *(Column(percent(b)) for b in comparison.budgets)],
        rows,
    )
    figure = Figure(
        "Recall by class and label budget",
        panels,
        "Share of each class's test images that are found, with 95% intervals. Drawn are the "
        "methods that lead at the largest budget, in the data are the best of each kind. Read it "
        "with the number of test images: few images say little, however narrow the interval.",
        legend=look.legend(methods),
        tables=[table],
    )
    return Section("classes", "Recall by class", "Classes", [figure])


def _panel(
    contents: Contents, name: str, methods: Sequence[str], results: Sequence[ClassResult]
) -> Panel:
    look = contents.look
    lines = [
        Line(
            look.kind(method),
            look.mark(method),
            [
                Point(
                    result.budget,
                    result.recall.value,
                    result.recall.low,
                    result.recall.high,
                    f"{look.kind(method)}, {percent(result.budget)}\n"
                    f"{interval_words(result.recall)}",
                )
                for result in results
                if result.method == method
            ],
        )
        for method in methods
    ]
    last = [f"{line.name} {digits(line.points[-1].y)}" for line in lines if line.points]
    label = f"Line chart of recall of {name} by label budget; at the largest: {', '.join(last)}."
    chart = line_chart(
        lines,
        x=budget_axis(contents.comparison, lesions=False),
        y=share_axis("Recall"),
        width=SMALL[0],
        height=SMALL[1],
        label=label,
    )
    return Panel(f"{name} · {count(results[0].support)} test images", chart)
