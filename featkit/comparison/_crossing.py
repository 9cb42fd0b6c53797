"""Where two learning curves cross."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.comparison._scored import Scored
from featkit.comparison._sides import Pair
from featkit.comparison.comparison import Estimate
from featkit.comparison.contrasts import Crossing

__all__ = ["crossing_budget", "crossings", "interval_of_places"]


def crossing_budget(budgets: ArrayLike, gains: ArrayLike) -> NDArray[np.float64]:
    """Return from which budget on the gain stays above zero, on each of B curves.

    Between two budgets the gain is taken to be linear in the logarithm of the budget.

    Args:
        budgets: Ascending, above 0, shape (k,).
        gains: Shape (B, k).

    Returns:
        Shape (B,): 0 where the gain is above zero everywhere, infinity where it is not at the
        largest budget, NaN where a gain is.
    """
    at, values = np.log(np.asarray(budgets, np.float64)), np.asarray(gains, np.float64)
    behind = ~(values > 0)
    # Index of the last budget that is not ahead, -1 where all are.
    last = np.where(behind.any(axis=1), len(at) - 1 - np.argmax(behind[:, ::-1], axis=1), -1)
    found = np.where(last < 0, 0.0, np.inf)
    inside = np.flatnonzero((last >= 0) & (last < len(at) - 1))
    left = last[inside]
    below, above = values[inside, left], values[inside, left + 1]
    share = -below / (above - below)
    found[inside] = np.exp(at[left] + share * (at[left + 1] - at[left]))
    found[np.isnan(values).any(axis=1)] = np.nan
    return found


def interval_of_places(places: NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of budgets that may be 0 or infinite.

    Ends are budgets that occur: between a budget and infinity nothing can be interpolated.
    """
    known = places[~np.isnan(places)]
    if not len(known):
        return float("nan"), float("nan")
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(known, ends, method="inverted_cdf")
    return float(low), float(high)


def crossings(pairs: Sequence[Pair], scored: Scored) -> tuple[Crossing, ...]:
    """Find the crossing of each pair of rows that share Runs at two budgets or more.

    Args:
        pairs: At ascending budgets.
        scored: Scores of their Runs.
    """
    curves: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.tuned:
            curves[pair.finetuned, pair.frozen].append(pair)
    return tuple(_crossing(curve, scored) for curve in curves.values() if len(curve) > 1)


def _crossing(curve: Sequence[Pair], scored: Scored) -> Crossing:
    budgets = [pair.budget for pair in curve]
    point = [scored.point(pair.tuned) - scored.point(pair.light) for pair in curve]
    samples = [scored.samples(pair.tuned) - scored.samples(pair.light) for pair in curve]
    value = float(crossing_budget(budgets, scored.sign * np.array([point]))[0])
    low, high = interval_of_places(crossing_budget(budgets, scored.sign * np.stack(samples, 1)))
    lesions = [pair.train_lesions for pair in curve]
    return Crossing(
        backbone=curve[0].backbone,
        finetuned=curve[0].finetuned,
        frozen=curve[0].frozen,
        budget=Estimate(value, low, high),
        train_lesions=Estimate(*(_lesions_at(end, budgets, lesions) for end in (value, low, high))),
        smallest=budgets[0],
        largest=budgets[-1],
    )


def _lesions_at(budget: float, budgets: Sequence[float], lesions: Sequence[float]) -> float:
    """Return the number of lesions at a budget, between budgets on logarithms of both."""
    if not 0 < budget < np.inf:
        return budget
    return float(np.exp(np.interp(np.log(budget), np.log(budgets), np.log(lesions))))
