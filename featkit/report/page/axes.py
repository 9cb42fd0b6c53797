"""Axes that several sections share: budgets, scores, shares."""

from __future__ import annotations

from collections.abc import Iterable

from featkit.comparison import Comparison, Estimate
from featkit.report.charts import Axis, Tick, even_ticks, extent
from featkit.report.page.words import count, percent

__all__ = ["budget_axis", "estimates_span", "score_axis", "share_axis"]


def budget_axis(comparison: Comparison, *, lesions: bool = True) -> Axis:
    """Return label budgets on a logarithmic axis, with the number of lesions below each."""
    number = {
        cell.budget: cell.train_lesions
        for cell in sorted(comparison.cells, key=lambda cell: cell.complete)
    }
    ticks = [
        Tick(budget, percent(budget), count(number[budget]) if lesions else "")
        for budget in comparison.budgets
    ]
    unit = " and number" if lesions else ""
    return Axis(f"Label budget: share{unit} of training lesions", ticks, log=True)


def estimates_span(
    estimates: Iterable[Estimate], *, fallback: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """Return the smallest and the largest value of scores and the ends of their intervals."""
    values = [value for e in estimates for value in (e.value, e.low, e.high)]
    return extent(values, fallback=fallback)


def score_axis(title: str, low: float, high: float, *, signed: bool = False) -> Axis:
    """Return an even axis with round ticks around the values."""
    values = even_ticks(low, high)
    digits = 1 if values[1] - values[0] > 0.0999 else 2 if values[1] - values[0] > 0.00999 else 3
    form = f"{'+' if signed else ''}.{digits}f"
    ticks = [Tick(v, format(v, form if v else f".{digits}f").replace("-", "−")) for v in values]
    return Axis(title, ticks)


def share_axis(title: str) -> Axis:
    """Return an axis from 0 to 1."""
    return Axis(title, [Tick(i / 5, f"{i / 5:.1f}") for i in range(6)])
