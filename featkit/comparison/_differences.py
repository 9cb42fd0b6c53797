"""Paired differences between methods, with Holm's correction over all that are reported."""

from __future__ import annotations

from math import ceil

import numpy as np

from featkit.comparison._resampling import Resampling
from featkit.comparison.comparison import DifferenceResult, Estimate
from featkit.comparison.gathering import Grid
from featkit.evaluate import Difference, Metric, holm, paired_difference

__all__ = ["paired_differences", "resamples_needed"]

_REACHABLE = 0.01
"""The smallest corrected p-value that the resamples must be able to show."""


def resamples_needed(grid: Grid, reference: str) -> int:
    """Return how many resamples it takes for a clear difference to pass the correction.

    With B resamples no p-value is below 2 / (B + 1), and Holm's method multiplies the smallest one
    by the number of differences.
    """
    return ceil(2 * len(_pairs(grid, reference)) / _REACHABLE)


def paired_differences(
    grid: Grid, metric: Metric, reference: str, resampling: Resampling
) -> tuple[DifferenceResult, ...]:
    """Compare every method with the reference at every budget, on the Runs that both have."""
    pairs = _pairs(grid, reference)
    found = [_difference(grid, metric, (name, reference), at, resampling) for name, at in pairs]
    corrected = holm(np.array([difference.p for difference in found]))
    return tuple(
        DifferenceResult(
            name,
            reference,
            budget,
            Estimate(difference.point, difference.low, difference.high),
            difference.p,
            float(p_holm),
        )
        for (name, budget), difference, p_holm in zip(pairs, found, corrected, strict=True)
    )


def _pairs(grid: Grid, reference: str) -> list[tuple[str, float]]:
    """Return the methods and budgets that share a Run with the reference."""
    return [
        (name, budget)
        for name in grid.methods
        for budget in grid.budgets
        if name != reference and _shared(grid, (name, reference), budget)
    ]


def _shared(grid: Grid, names: tuple[str, str], budget: float) -> list[tuple[int, int]]:
    mine, other = (grid.cells.get((name, budget), {}) for name in names)
    return sorted(set(mine) & set(other))


def _difference(
    grid: Grid, metric: Metric, names: tuple[str, str], budget: float, resampling: Resampling
) -> Difference:
    shared = _shared(grid, names, budget)
    pair = [{key: grid.cells[name, budget][key] for key in shared} for name in names]
    point, other = (float(resampling.point(runs, metric)) for runs in pair)
    first, second = (resampling.samples(runs, metric) for runs in pair)
    return paired_difference(first, second, point - other)
