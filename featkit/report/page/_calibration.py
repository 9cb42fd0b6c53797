"""Section: reliability diagrams, and calibration before and after temperature scaling."""

from __future__ import annotations

import math
from collections.abc import Sequence

from featkit.comparison import Calibration, CalibrationScores, Estimate
from featkit.report.charts import Line, Mark, Point, Rule, line_chart, swatch
from featkit.report.files import best_of_each_kind
from featkit.report.page.axes import share_axis
from featkit.report.page.contents import Contents
from featkit.report.page.parts import (
    Cell,
    Column,
    Figure,
    Legend,
    Panel,
    Part,
    Section,
    Table,
    Text,
)
from featkit.report.page.sizes import NARROW
from featkit.report.page.words import DASH, digits, percent, score_cell

__all__ = ["calibration_section"]

_BEFORE, _AFTER = Mark(1, hollow=True), Mark(0)


def calibration_section(contents: Contents) -> Section:
    """Return reliability at the largest budget for the best method of each kind, and the scores."""
    at = contents.comparison.budgets[-1]
    every = {item.method: item for item in contents.analysis.calibration if item.budget == at}
    shown = [every[m] for m in best_of_each_kind(contents.comparison) if m in every]
    panels = [_panel(contents, item) for item in shown]
    legend = [
        Legend(swatch(_BEFORE), "before scaling"),
        Legend(swatch(_AFTER), "after scaling"),
    ]
    caption = (
        "Below the diagonal predictions are surer than they are right. Temperatures are fitted on "
        "held-out predictions inside the budget, never on test images. Bands are 95% intervals; "
        "bins without images are left out."
    )
    parts: list[Part] = [
        Figure(
            f"Reliability at {percent(at)}: accuracy by confidence of the top prediction",
            panels,
            caption,
            legend=legend,
            tables=[_bins(contents, item) for item in shown],
        ),
        _scores(contents, list(every.values()), at),
    ]
    notes = dict.fromkeys(
        f"{contents.look.name(item.method)}: {item.note}." for item in every.values() if item.note
    )
    parts += [Text(note, "note") for note in notes]
    return Section("calibration", "Can the probabilities be trusted?", "Calibration", parts)


def _panel(contents: Contents, item: Calibration) -> Panel:
    lines = [_line("before", _BEFORE, item.before)]
    if item.after is not None:
        lines.append(_line("after", _AFTER, item.after))
    sides = [item.before] if item.after is None else [item.before, item.after]
    errors = " → ".join(score_cell(scores.ece).text for scores in sides)
    name = contents.look.name(item.method)
    chart = line_chart(
        lines,
        x=share_axis("Confidence"),
        y=share_axis("Accuracy"),
        rules=[Rule(0.0, "", to=1.0)],
        width=NARROW[0],
        height=NARROW[1],
        label=f"Reliability diagram of {name}; calibration error {errors}.",
    )
    return Panel(f"{name} · error {errors}", chart)


def _line(name: str, mark: Mark, scores: CalibrationScores) -> Line:
    curve = scores.curve
    columns = (curve.confidence, curve.accuracy, curve.low, curve.high, curve.share)
    points = [
        Point(
            x, y, low, high, f"{name}: confidence {x:.2f}, accuracy {y:.2f}\n{share:.1%} of images"
        )
        for x, y, low, high, share in zip(*columns, strict=True)
        if math.isfinite(x)
    ]
    return Line(name, mark, points)


def _bins(contents: Contents, item: Calibration) -> Table:
    names = ("Share of images", "Confidence", "Accuracy")
    sides = [("before", item.before), *([("after", item.after)] if item.after else [])]
    rows = []
    for index, (low, high) in enumerate(
        zip(item.before.curve.edges, item.before.curve.edges[1:], strict=False)
    ):
        cells = []
        for _, scores in sides:
            curve = scores.curve
            estimate = Estimate(curve.accuracy[index], curve.low[index], curve.high[index])
            confidence = curve.confidence[index]
            cells += [
                Cell(f"{curve.share[index]:.1%}"),
                Cell(digits(confidence)),
                score_cell(estimate),
            ]
        rows.append([Cell(f"{low:.2f} to {high:.2f}"), *cells])
    columns = [Column("Confidence bin", number=False)]
    columns += [Column(f"{name}, {side}") for side, _ in sides for name in names]
    return Table(f"Reliability of {contents.look.name(item.method)}", columns, rows)


def _scores(contents: Contents, items: Sequence[Calibration], at: float) -> Table:
    names = ("Calibration error", "Log-loss", "Brier score")
    columns = [Column("Method", number=False)]
    columns += [Column(f"{name}, {side}") for name in names for side in ("before", "after")]
    rows = []
    for item in items:
        sides = [_three(item.before), _three(item.after)]
        cells = [cell for pair in zip(*sides, strict=True) for cell in pair]
        rows.append([Cell(contents.look.name(item.method)), *cells, _temperature(item)])
    columns.append(Column("Temperature"))
    return Table(
        f"Calibration at {percent(at)}, before and after temperature scaling; less is better",
        columns,
        rows,
    )


def _three(scores: CalibrationScores | None) -> list[Cell]:
    if scores is None:
        return [Cell(DASH)] * 3
    return [score_cell(score) for score in (scores.ece, scores.log_loss, scores.brier)]


def _temperature(item: Calibration) -> Cell:
    if not item.temperatures:
        return Cell(DASH)
    low, high = min(item.temperatures), max(item.temperatures)
    ends = dict.fromkeys((f"{low:.2f}", f"{high:.2f}"))
    return Cell(" to ".join(ends))
