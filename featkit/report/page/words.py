"""Numbers as people read them, the same all over the page."""

from __future__ import annotations

import math

from featkit.comparison import Estimate
from featkit.evaluate import METRICS
from featkit.report.page.parts import Cell
from featkit.report.tables import short

__all__ = [
    "DASH",
    "clock",
    "count",
    "digits",
    "interval_words",
    "metric_title",
    "p_words",
    "percent",
    "score_cell",
    "signed",
    "signed_cell",
    "signed_words",
]

DASH = "–"


def score_cell(estimate: Estimate, *, strong: bool = False, mark: str = "") -> Cell:
    """Return a score with its interval below it, a dash where it is not defined."""
    number, _, interval = short(estimate).partition(" ")
    return Cell(number + mark, interval, strong=strong)


def digits(value: float) -> str:
    """Return `.612`, a dash where it is not defined."""
    return DASH if math.isnan(value) else f"{value:.3f}".removeprefix("0")


def signed(value: float) -> str:
    """Return `+.050` or `−.050`, a dash where it is not defined."""
    if math.isnan(value):
        return DASH
    return f"{value:+.3f}".replace("0.", ".", 1).replace("-", "−")


def signed_cell(estimate: Estimate) -> Cell:
    """Return a difference with its sign and its interval."""
    if math.isnan(estimate.value):
        return Cell(DASH)
    value, low, high = map(signed, (estimate.value, estimate.low, estimate.high))
    return Cell(value, f"[{low}, {high}]")


def interval_words(estimate: Estimate) -> str:
    """Return `.612 (95% interval .58 to .64)` for running text and tooltips."""
    if math.isnan(estimate.value):
        return "not defined"
    number, _, interval = short(estimate).partition(" ")
    low, high = interval.strip("[]").split(", ")
    return f"{number} (95% interval {low} to {high})"


def signed_words(estimate: Estimate) -> str:
    """Return `+.050 (95% interval +.010 to +.090)`."""
    if math.isnan(estimate.value):
        return "not defined"
    value, low, high = map(signed, (estimate.value, estimate.low, estimate.high))
    return f"{value} (95% interval {low} to {high})"


def p_words(p: float) -> str:
    """Return a p-value in three digits, on the side of 0.05 where it is."""
    if math.isnan(p):
        return "p not defined"
    if 0.0495 <= p < 0.05:
        return "p < 0.050"
    return f"p {p:.3f}" if p >= 0.0005 else "p < 0.001"


def metric_title(name: str, focus: str) -> str:
    """Return the title of a metric, or of the sensitivity for the class in focus."""
    return METRICS[name].title if name in METRICS else f"Sensitivity for {focus} at 95% specificity"


def count(value: float) -> str:
    """Return `1,234`."""
    return f"{value:,.0f}" if math.isfinite(value) else DASH


def percent(value: float) -> str:
    """Return `12.5%` of a budget."""
    return f"{value:g}%"


def clock(seconds: float) -> str:
    """Return seconds with two digits that count, in the unit that people would use."""
    if not math.isfinite(seconds):
        return DASH
    if seconds < 60:
        value, unit = seconds, "s"
    elif seconds < 3600:
        value, unit = seconds / 60, "min"
    else:
        value, unit = seconds / 3600, "h"
    return f"{value:,.0f} {unit}" if value >= 99.5 else f"{value:.2g} {unit}"
