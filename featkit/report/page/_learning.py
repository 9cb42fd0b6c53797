"""Section: learning curves, all scores, paired differences."""

from __future__ import annotations

from collections.abc import Sequence

from featkit.evaluate import METRICS
from featkit.naming import counted
from featkit.report.charts import Axis, Line, Point, Rule, line_chart
from featkit.report.page.axes import budget_axis, estimates_span, score_axis
from featkit.report.page.contents import Contents
from featkit.report.page.look import Look
from featkit.report.page.parts import Cell, Column, Figure, Panel, Part, Section, Table, Text
from featkit.report.page.sizes import MEDIUM, NARROW, WIDE
from featkit.report.page.words import (
    DASH,
    clock,
    count,
    digits,
    interval_words,
    metric_title,
    p_words,
    percent,
    score_cell,
    signed_cell,
)
from featkit.report.tables import reading_notes

__all__ = ["learning_section"]

_MOST_BANDS = 4
"""More of them on top of one another hide the lines."""


def learning_section(contents: Contents) -> Section:
    """Return learning curves with intervals, the main table, all metrics and differences."""
    comparison = contents.comparison
    parts: list[Part] = [
        _figure(contents),
        _all_metrics(contents),
        *(Text(note, "note") for note in reading_notes(comparison)),
        *_differences(contents),
    ]
    return Section("learning", "Score by number of labels", "Learning curves", parts)


def _figure(contents: Contents) -> Figure:
    comparison, look = contents.comparison, contents.look
    title = METRICS[comparison.metric].title
    scores = [cell.scores[comparison.metric] for cell in comparison.cells]
    rules = (
        [Rule(1 / len(comparison.classes), "chance")]
        if comparison.metric == "balanced_accuracy"
        else []
    )
    low, high = estimates_span(scores)
    low = min([low, *(rule.y for rule in rules)])
    y = score_axis(title, low, high)
    single = len(look.backbones) == 1
    panels = [
        _panel(contents, backbone, methods, y, rules, single=single)
        for backbone, methods in look.backbones.items()
    ]
    shaded = [row for methods in look.backbones.values() for row in _shaded(contents, methods)]
    alone = f", drawn for {_listed(look, shaded)} alone; the table has all of them"
    caption = (
        f"{title} on {count(comparison.test_images)} test images of "
        f"{count(comparison.test_lesions)} lesions. Bands are 95% intervals from "
        f"{count(comparison.resamples)} bootstrap resamples of test lesions and training draws"
        f"{alone if len(shaded) < len(comparison.methods) else ''}."
    )
    return Figure(
        f"{title} by label budget",
        panels,
        caption,
        legend=look.legend(comparison.methods),
        tables=[_main_table(contents)],
        open=True,
    )


def _panel(
    contents: Contents,
    backbone: str,
    methods: Sequence[str],
    y: Axis,
    rules: Sequence[Rule],
    *,
    single: bool,
) -> Panel:
    shaded = _shaded(contents, methods)
    lines = [_curve(contents, method, shaded=method in shaded) for method in methods]
    drawn = [
        line_chart(
            lines,
            x=budget_axis(contents.comparison),
            y=y,
            rules=rules,
            width=width,
            height=height,
            names=named,
            label=_in_words(contents, backbone, methods),
        )
        for (width, height), named in ((WIDE if single else MEDIUM, single), (NARROW, False))
    ]
    return Panel("" if single else backbone, *drawn)


def _shaded(contents: Contents, methods: Sequence[str]) -> list[str]:
    """Return the rows of a panel whose bands are drawn: all, or of many the two that matter most.

    These are the declared pair, or else the best of each side at the largest budget.
    """
    if len(methods) <= _MOST_BANDS:
        return list(methods)
    pair = {
        row for each in contents.analysis.against.declared for row in (each.frozen, each.finetuned)
    }
    found = [method for method in methods if method in pair]
    best: dict[bool, str] = {}
    for cell in contents.comparison.ranked():
        if cell.method in methods:
            best.setdefault(cell.frozen, cell.method)
    return found or list(best.values())


def _listed(look: Look, methods: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(look.kind(method) for method in methods))


def _curve(contents: Contents, method: str, *, shaded: bool) -> Line:
    look, metric = contents.look, contents.comparison.metric
    points = [
        Point(
            cell.budget,
            (score := cell.scores[metric]).value,
            score.low,
            score.high,
            f"{look.kind(method)}, {percent(cell.budget)}\n{interval_words(score)}",
        )
        for cell in contents.comparison.cells
        if cell.method == method
    ]
    return Line(look.kind(method), look.mark(method), points, shaded)


def _in_words(contents: Contents, backbone: str, methods: Sequence[str]) -> str:
    comparison, look = contents.comparison, contents.look
    ends = []
    for method in methods:
        cells = [cell for cell in comparison.cells if cell.method == method]
        scores = [cell.scores[comparison.metric].value for cell in cells]
        ends.append(
            f"{look.kind(method)} from {digits(scores[0])} at {percent(cells[0].budget)} "
            f"to {digits(scores[-1])} at {percent(cells[-1].budget)}"
        )
    title = METRICS[comparison.metric].title
    return f"Line chart of {title} by label budget for {backbone}: {'; '.join(ends)}."


def _main_table(contents: Contents) -> Table:
    comparison, look = contents.comparison, contents.look
    best = {budget: comparison.best(budget) for budget in comparison.budgets}
    rows = []
    for method in comparison.methods:
        cells = [comparison.cell(method, budget) for budget in comparison.budgets]
        scores = [
            Cell(DASH)
            if cell is None
            else score_cell(
                cell.scores[comparison.metric],
                strong=cell is best[cell.budget],
                mark="" if cell.complete else f" †{cell.runs}",
            )
            for cell in cells
        ]
        rows.append([Cell(look.name(method)), *scores])
    lesions = {
        cell.budget: cell.train_lesions
        for cell in sorted(comparison.cells, key=lambda cell: cell.complete)
    }
    numbers = [Cell(count(lesions[budget])) for budget in comparison.budgets]
    return Table(
        f"{METRICS[comparison.metric].title} with 95% interval, by share of labelled training "
        "lesions; the best of each budget in bold",
        [Column("Method", number=False), *(Column(percent(b)) for b in comparison.budgets)],
        [*rows, [Cell("Training lesions"), *numbers]],
    )


def _all_metrics(contents: Contents) -> Table:
    comparison, look = contents.comparison, contents.look
    at = comparison.budgets[-1]
    cells = [cell for cell in comparison.cells if cell.budget == at]
    names = list(cells[0].scores)
    return Table(
        f"All metrics at {percent(at)} of the training lesions",
        [
            Column("Method", number=False),
            *(Column(metric_title(name, comparison.focus)) for name in names),
            Column("Time a Run"),
        ],
        [
            [
                Cell(look.name(cell.method)),
                *(score_cell(cell.scores[name]) for name in names),
                Cell(clock(cell.wall_s)),
            ]
            for cell in cells
        ],
    )


def _differences(contents: Contents) -> list[Table]:
    comparison, look = contents.comparison, contents.look
    if not comparison.differences:
        return []
    reference = comparison.differences[0].reference
    by_method: dict[str, dict[float, list[Cell]]] = {}
    for found in comparison.differences:
        cell = signed_cell(found.difference)
        marked = Cell(
            cell.text, f"{cell.note}\n{p_words(found.p_holm)}", strong=found.p_holm < 0.05
        )
        by_method.setdefault(found.method, {})[found.budget] = [marked]
    rows = [
        [Cell(look.name(method)), *(cells.get(b, [Cell(DASH)])[0] for b in comparison.budgets)]
        for method, cells in by_method.items()
    ]
    return [
        Table(
            f"Paired difference in {METRICS[comparison.metric].title.lower()} from "
            f"{look.name(reference)}",
            [Column("Method", number=False), *(Column(percent(b)) for b in comparison.budgets)],
            rows,
            note=f"95% intervals and p-values after Holm's correction over all "
            f"{counted(len(comparison.differences), 'difference')}, on the same lesions and draws; "
            "bold where p is below 0.05.",
        )
    ]
