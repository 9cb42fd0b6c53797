"""Score against cost: which methods nobody beats at their price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.comparison._scored import Scored
from featkit.comparison.comparison import CellResult, Estimate
from featkit.comparison.evidence import Evidence

__all__ = ["Pareto", "ParetoPoint", "pareto"]


@dataclass(frozen=True)
class ParetoPoint:
    """One method at one budget.

    Attributes:
        method: Row.
        budget: Percent of the training lesions.
        frozen: Whether the backbone stayed as it was.
        score: With its 95% interval.
        seconds: Mean device seconds of a Run.
        on_front: No method at any budget scores as high for less, or higher for as little.
        p_front: Share of bootstrap resamples in which that is so; costs stay as they are.
        on_budget_front: The same among the methods of this budget only.
        p_budget_front: Share of resamples.
    """

    method: str
    budget: float
    frozen: bool
    score: Estimate
    seconds: float
    on_front: bool
    p_front: float
    on_budget_front: bool
    p_budget_front: float


@dataclass(frozen=True)
class Pareto:
    """Score against cost, at both prices of frozen features.

    Attributes:
        alone: Each Run pays for the features of all its training images.
        shared: The grid's Runs pay for them together.
        left_out: Rows and budgets that lack Runs which others have, and so cannot be compared.
        devices: What the Runs were trained on; seconds of different devices do not compare.
    """

    alone: tuple[ParetoPoint, ...]
    shared: tuple[ParetoPoint, ...]
    left_out: tuple[str, ...]
    devices: tuple[str, ...]


def pareto(evidence: Evidence) -> Pareto:
    """Find the fronts of score against device seconds; what labels cost is not among them."""
    grid, comparison, scored = evidence.grid, evidence.comparison, evidence.scored
    cells = [cell for cell in comparison.cells if cell.complete]
    samples = [scored.samples(grid.runs(cell.method, cell.budget)) for cell in cells]
    alone, shared = [cell.alone_s for cell in cells], [cell.shared_s for cell in cells]
    return Pareto(
        alone=_points(cells, alone, samples, scored),
        shared=_points(cells, shared, samples, scored),
        left_out=tuple(
            f"{cell.method} at {cell.budget:g}%" for cell in comparison.cells if not cell.complete
        ),
        devices=tuple(sorted({device for cell in cells for device in cell.devices})),
    )


def _points(
    cells: Sequence[CellResult],
    seconds: Sequence[float],
    samples: Sequence[NDArray[np.float64]],
    scored: Scored,
) -> tuple[ParetoPoint, ...]:
    if not cells:
        return ()
    gains = scored.sign * np.stack(samples)
    scores = [cell.scores[scored.metric.name] for cell in cells]
    point = scored.sign * np.array([[score.value] for score in scores])
    cost, budget = np.array(seconds), np.array([cell.budget for cell in cells])
    of_all, of_budget = np.ones((len(cells),) * 2, dtype=np.bool_), budget[:, None] == budget
    fronts = [
        _front(values, cost, rivals).mean(axis=1)
        for rivals in (of_all, of_budget)
        for values in (point, gains)
    ]
    return tuple(
        ParetoPoint(
            method=cell.method,
            budget=cell.budget,
            frozen=cell.frozen,
            score=score,
            seconds=float(price),
            on_front=bool(on_front),
            p_front=float(p_front),
            on_budget_front=bool(on_budget_front),
            p_budget_front=float(p_budget_front),
        )
        for cell, score, price, on_front, p_front, on_budget_front, p_budget_front in zip(
            cells, scores, seconds, *fronts, strict=True
        )
    )


def _front(
    gains: NDArray[np.float64], cost: NDArray[np.float64], rivals: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return who is beaten by no rival: at less cost by as much, or at the same cost by more.

    Args:
        gains: Of k cells in B resamples, more is better, shape (k, B).
        cost: Shape (k,).
        rivals: Whom each cell competes with, shape (k, k).
    """
    front = ~np.isnan(gains)
    for index, mine in enumerate(gains):
        cheaper = rivals[index] & (cost < cost[index])
        as_cheap = rivals[index] & (cost == cost[index])
        beaten = (gains[cheaper] >= mine).any(axis=0) | (gains[as_cheap] > mine).any(axis=0)
        front[index] &= ~beaten
    return front
