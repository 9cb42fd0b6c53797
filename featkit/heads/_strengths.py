"""The choice of a strength: paths over all inner folds of heads on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from featkit.heads._path import Path, Rows, two_sided
from featkit.heads._problem import HeldOutRows, Problem, flat

__all__ = ["CRITERIA", "Choice", "row_weights", "walk"]

CRITERIA = ("log_loss", "balanced_accuracy")

_PATIENCE = 3
"""Strengths in a row that must be clearly worse than the best before a path ends."""
_CLEARLY = 0.01
"""How much lower than the best a score is to count as clearly worse, relative to the best."""


class Choice:
    """One head's choice among strengths, from the first to the last that it looks at.

    Attributes:
        splits: Inner folds; none where nothing is to be chosen or no split is possible.
        strength: The best so far; the middle one where there are no splits.
        start: Where the refit may start from, (C, D + 1); zeros before the first strength.
        held_out: What the inner folds' models of this strength predict.
    """

    def __init__(self, problem: Problem, strengths: Sequence[float], criterion: str) -> None:
        """Take a problem whose features are standardised, and strengths from small to large."""
        self._problem, self._criterion = problem, criterion
        self._seen: list[float] = []
        self._scores: list[float] = []
        self.splits = problem.splits if len(strengths) > 1 else ()
        self.strength = strengths[(len(strengths) - 1) // 2]
        logits = 1 if problem.n_classes == 2 else problem.n_classes
        self.start = np.zeros((logits, problem.features.shape[-1] + 1), dtype=np.float32)
        self.held_out: HeldOutRows | None = None

    @property
    def weights(self) -> NDArray[np.float32]:
        """Training weights of the inner folds, (folds, rows × views)."""
        return np.stack([row_weights(self._problem, split.train) for split in self.splits])

    @property
    def record(self) -> dict[str, Any]:
        """What was chosen and why, JSON-like."""
        if not self.splits:
            return {"C": self.strength, "inner_folds": 0}
        return {
            "C": self.strength,
            "inner_folds": len(self.splits),
            "criterion": self._criterion,
            "strengths": self._seen,
            "scores": self._scores,
        }

    @property
    def is_over(self) -> bool:
        """Whether the path has become clearly worse."""
        return has_passed(self._scores)

    def judge(self, strength: float, solutions: NDArray[np.float32]) -> None:
        """Score a strength by its folds' coefficients (folds, C, D + 1)."""
        rows = np.concatenate([split.validation for split in self.splits])
        scores = self._held_out_scores(solutions)
        self._seen.append(strength)
        self._scores.append(self._score(rows, scores))
        if self._scores.index(max(self._scores)) == len(self._scores) - 1:
            self.strength, self.start = strength, solutions.mean(axis=0)
            self.held_out = HeldOutRows(rows, softmax(scores.astype(np.float64), axis=1))

    def _held_out_scores(self, solutions: NDArray[np.float32]) -> NDArray[np.floating]:
        """Return the scores (rows, C) of each fold's validation rows by its own coefficients."""
        views = self._problem.views.test
        folds, classes, columns = solutions.shape
        features = flat(self._problem.features[:, :views])
        # One product of all rows with all folds is quicker than a narrow one for each fold.
        joined = solutions.reshape(-1, columns)
        raw = features @ joined[:, :-1].T + joined[:, -1]
        by_row = raw.reshape(-1, views, folds, classes)
        own = np.concatenate(
            [by_row[split.validation, :, fold] for fold, split in enumerate(self.splits)]
        )
        return self._problem.averaged(two_sided(flat(own)))

    def _score(self, rows: NDArray[np.intp], scores: NDArray[np.floating]) -> float:
        """Return how good held-out scores (rows, C) are; more is better."""
        if self._criterion == "balanced_accuracy":
            return _mean_recall(self._problem.label[rows], scores.argmax(axis=1))
        return -self._problem.loss(rows, scores)


def walk(choices: Sequence[Choice], rows: Rows, strengths: Sequence[float]) -> None:
    """Solve one strength after another for the inner folds of all choices at once.

    A choice leaves the path once it has become clearly worse.
    """
    going = [choice for choice in choices if choice.splits]
    if not going:
        return
    path = Path(rows, np.concatenate([choice.weights for choice in going]))
    for strength in strengths:
        solutions = path.solve(strength)
        ends = np.cumsum([len(choice.splits) for choice in going])
        for choice, own in zip(going, np.split(solutions, ends[:-1]), strict=True):
            choice.judge(strength, own)
        if all(choice.is_over for choice in going):
            return
        path.keep(np.repeat([not c.is_over for c in going], [len(c.splits) for c in going]))
        going = [choice for choice in going if not choice.is_over]


def row_weights(problem: Problem, rows: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
    """Return weights (n × views,) for training on some rows (all by default).

    A repeated row counts as often as it occurs, a view 1 / views of its image.
    """
    sample, views = problem.sample(rows), problem.views.train
    of_image = np.bincount(sample.rows, weights=sample.weights, minlength=len(problem.label))
    return np.repeat(of_image / views, views).astype(np.float32)


def has_passed(scores: Sequence[float]) -> bool:
    """Tell whether the last few scores are all clearly worse than the best."""
    best = max(scores)
    return len(scores) > _PATIENCE and max(scores[-_PATIENCE:]) < best - _CLEARLY * abs(best)


def _mean_recall(label: NDArray[np.intp], predicted: NDArray[np.intp]) -> float:
    """Return the balanced accuracy over the classes that are held out: not all need be."""
    count = np.bincount(label)
    right = np.bincount(label, weights=label == predicted)
    return float(np.mean(right[count > 0] / count[count > 0]))
