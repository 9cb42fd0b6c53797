"""Features in bins: LightGBM's view of a budget, made once for all trees that learn from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from featkit.heads._problem import Problem, Sample, flat

__all__ = ["BinnedProblem"]


class BinnedProblem:
    """A problem's features in bins, from which inner folds and the refit take their rows.

    Sorting columns and looking up bins is a large part of the price of few, small trees; taking
    rows out of bins is cheap. Boundaries come from all rows of the budget and all of their views
    that are used, without labels, as the linear head's standardisation does: never from rows
    outside of it.

    Args:
        problem: What to learn from.
        parameters: LightGBM's.
    """

    def __init__(self, problem: Problem, parameters: Mapping[str, Any]) -> None:
        self._problem = problem
        self._views = problem.features.shape[1]
        self._bins = lgb.Dataset(
            flat(problem.features),
            label=np.repeat(problem.label, self._views),
            params=dict(parameters),
        ).construct()

    def training(self, sample: Sample) -> lgb.Dataset:
        """Return the rows of a sample, in the views to train on; each view weighs 1 / V."""
        views = self._problem.views.train
        return self._part(sample.rows, sample.weights / np.float32(views), views)

    def validation(self, rows: NDArray[np.intp]) -> lgb.Dataset:
        """Return validation rows, ascending, in the views to judge by, with the judge's weights."""
        return self._part(rows, self._problem.judge(rows), self._problem.views.test)

    def _part(
        self, rows: NDArray[np.intp], weights: NDArray[np.float32], views: int
    ) -> lgb.Dataset:
        # LightGBM takes rows out in ascending order only.
        order = np.argsort(rows, kind="stable")
        places = rows[order, None] * self._views + np.arange(views)
        part = self._bins.subset(places.ravel()).construct()
        return part.set_weight(np.repeat(weights[order], views))
