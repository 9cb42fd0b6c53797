"""Paired differences between methods, with Holm's correction over all that are reported."""

from __future__ import annotations

from math import ceil

import numpy as np

from featkit.comparison._scored import Scored
from featkit.comparison.comparison import DifferenceResult, Estimate
from featkit.comparison.gathering import Grid
from featkit.evaluate import holm

__all__ = ["paired_differences", "resamples_needed"]

_REACHABLE = 0.01
"""The smallest corrected p-value that the resamples must be able to show."""


def resamples_needed(grid: Grid, reference: str) -> int:
    """Return how many resamples it takes for a clear difference to pass the correction.

    With B resamples no p-value is below 2 / (B + 1), and Holm's method multiplies the smallest one
    by the number of differences.
    """
    return ceil(2 * len(_pairs(grid, reference)) / _REACHABLE)


def paired_differences(grid: Grid, reference: str, scored: Scored) -> tuple[DifferenceResult, ...]:
    """Compare every method with the reference at every budget, on the Runs that both have."""
    pairs = _pairs(grid, reference)
    found = [
        scored.difference(grid.cells[name, budget], grid.cells[reference, budget])
        for name, budget in pairs
    ]
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
        if name != reference
        and grid.runs(name, budget).keys() & grid.runs(reference, budget).keys()
    ]
