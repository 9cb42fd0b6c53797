"""The linear head: multinomial logistic regression, its strength chosen inside the budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from featkit.errors import UsageError
from featkit.heads._path import fit_paths, logits
from featkit.heads._problem import HeldOutRows, Problem, Split, flat
from featkit.heads._scaling import Scaling, row_space
from featkit.heads.base import Head

__all__ = ["LinearHead"]

_STRENGTHS = tuple(float(f"{strength:.3g}") for strength in np.logspace(-5, 1, 10))
_CRITERIA = ("log_loss", "balanced_accuracy")
_FINAL_TOLERANCE = 1e-5
"""The last fit is solved more exactly than those that only rank the strengths."""
_PATIENCE = 3
"""Strengths in a row that must be clearly worse than the best before a path ends."""
_CLEARLY = 0.01
"""How much lower than the best a score is to count as clearly worse, relative to the best."""


class _Choice(NamedTuple):
    """What the inner folds decided."""

    record: dict[str, Any]
    start: NDArray[np.float32] | None
    """Where the refit starts from."""
    held_out: HeldOutRows | None


class LinearHead(Head):
    """Standardised features, a linear map and a softmax, with an L2 penalty.

    The strength C is chosen by cross-validation over grouped inner folds: one path from strong to
    weak regularisation for all folds, ended early once it has become clearly worse.

    The features are standardised once, by all rows given to `fit`, and inner folds are weights of
    zero on the rows held out: so all folds share one matrix and one rotation, and C means the same
    in them as in the last fit. Held-out rows lend the folds their columns' means and deviations,
    never their labels, and rows outside the budget lend nothing.

    Args:
        strengths: Candidates for C; a single one is taken as it is.
        criterion: What chooses among them, on the pooled rows of all inner folds:
            "balanced_accuracy", or "log_loss" (weighted as the imbalance option says). The first
            tends to choose stronger penalties, whose probabilities are less certain.
        imbalance: "weights" gives all classes the same total weight, "none" gives all rows the
            same weight, "oversample" repeats rows up to the largest class (training part only).
        inner_splits: Inner folds; fewer where a class has fewer groups.
        random_state: Seed of inner folds and oversampling.
        n_jobs: Threads.

    Attributes:
        coef_: (C, D) coefficients of standardised features; (1, D) for two classes.
        intercept_: (C,) or (1,).
        mean_: (D,) of the training features.
        scale_: (D,) standard deviation; 1 for constant columns.
    """

    def __init__(
        self,
        *,
        strengths: Sequence[float] = _STRENGTHS,
        criterion: str = "balanced_accuracy",
        imbalance: str = "weights",
        inner_splits: int = 5,
        random_state: int | np.random.RandomState | None = 0,
        n_jobs: int = 1,
    ) -> None:
        self.strengths = strengths
        self.criterion = criterion
        self.imbalance = imbalance
        self.inner_splits = inner_splits
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _fit(self, problem: Problem) -> None:
        scaling = Scaling.of(problem.trained())
        rotated, basis = _rotated(problem, scaling)
        self.chosen_, start, self.held_out_ = self._choose(rotated)
        rows = np.arange(len(problem.label))
        path = _paths(rotated, [rows], [self.chosen_["C"]], start=start, tolerance=_FINAL_TOLERANCE)
        (solution,) = next(path)
        coefficients, self.intercept_ = solution[:, :-1], solution[:, -1]
        self.coef_ = coefficients if basis is None else coefficients @ basis.T
        self.mean_, self.scale_ = scaling
        self.n_parameters_ = self.coef_.size + self.intercept_.size

    def _choose(self, problem: Problem) -> _Choice:
        """Choose C on the inner folds of a problem whose features are standardised."""
        strengths = sorted(float(strength) for strength in self.strengths)
        splits = problem.splits if len(strengths) > 1 else ()
        if not splits:
            middle = strengths[(len(strengths) - 1) // 2]
            return _Choice({"C": middle, "inner_folds": 0}, None, None)
        rows = np.concatenate([split.validation for split in splits])
        scores: list[float] = []
        for solutions in _paths(problem, [split.train for split in splits], strengths):
            predicted = _held_out_scores(problem, splits, solutions)
            scores.append(self._score(problem, rows, predicted))
            best = scores.index(max(scores))
            if scores[-1] >= scores[best]:
                start = solutions.mean(axis=0, keepdims=True)
            if best == len(scores) - 1:
                held_out = predicted
            if _has_passed(scores):
                break
        record = {
            "C": strengths[best],
            "inner_folds": len(splits),
            "criterion": self.criterion,
            "strengths": strengths[: len(scores)],
            "scores": scores,
        }
        probabilities = softmax(held_out.astype(np.float64), axis=1)
        return _Choice(record, start, HeldOutRows(rows, probabilities))

    def _score(
        self, problem: Problem, rows: NDArray[np.intp], scores: NDArray[np.floating]
    ) -> float:
        """Return how good held-out scores (rows, C) are; more is better."""
        if self.criterion == "balanced_accuracy":
            return _mean_recall(problem.label[rows], scores.argmax(axis=1))
        return -problem.loss(rows, scores)

    def _probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        scaled = (features - self.mean_.astype(np.float64)) / self.scale_
        coefficients = np.column_stack([self.coef_, self.intercept_])
        return np.asarray(softmax(logits(scaled, coefficients), axis=1))

    def check_options(self) -> None:
        """Refuse option values that cannot be meant."""
        super().check_options()
        if self.criterion not in _CRITERIA:
            raise UsageError(
                f"criterion={self.criterion!r}",
                cause="there is no such criterion for the strength",
                remedy=f"Choose one of {', '.join(_CRITERIA)}",
            )
        if not len(self.strengths) or not all(strength > 0 for strength in self.strengths):
            raise UsageError(
                f"strengths={self.strengths!r}",
                cause="the strength C of a penalty is a positive number",
                remedy="Give one or more positive numbers",
            )


def _rotated(problem: Problem, scaling: Scaling) -> tuple[Problem, NDArray[np.float32] | None]:
    """Return the problem in standardised coordinates, and their basis (see `row_space`)."""
    scaled = scaling.apply(problem.features)
    count, views, _ = scaled.shape
    coordinates, basis = row_space(flat(scaled[:, : problem.views.train]))
    if basis is None:
        coordinates = scaled
    elif views > problem.views.train:
        coordinates = scaled @ basis
    return replace(problem, features=coordinates.reshape(count, views, -1)), basis


def _paths(
    problem: Problem,
    samples: Sequence[NDArray[np.intp]],
    strengths: Sequence[float],
    **options: Any,
) -> Iterator[NDArray[np.float32]]:
    """Solve for several sets of training rows at one strength after another (see `fit_paths`)."""
    views = problem.views.train
    weights = np.stack([_row_weights(problem, rows) for rows in samples])
    return fit_paths(
        problem.trained(),
        np.repeat(problem.label, views),
        np.repeat(weights / np.float32(views), views, axis=1),
        strengths,
        **options,
    )


def _row_weights(problem: Problem, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return training weights (n,) of all rows; a repeated row counts as often as it occurs."""
    sample = problem.sample(rows)
    return np.bincount(sample.rows, weights=sample.weights, minlength=len(problem.label)).astype(
        np.float32
    )


def _held_out_scores(
    problem: Problem, splits: Sequence[Split], solutions: NDArray[np.float32]
) -> NDArray[np.floating]:
    """Return the scores (rows, C) of each split's validation rows by its own solution."""
    scores = [
        logits(problem.judged(split.validation), solution)
        for split, solution in zip(splits, solutions, strict=True)
    ]
    return problem.averaged(np.concatenate(scores))


def _mean_recall(label: NDArray[np.intp], predicted: NDArray[np.intp]) -> float:
    """Return the balanced accuracy over the classes that are held out: not all need be."""
    count = np.bincount(label)
    right = np.bincount(label, weights=label == predicted)
    return float(np.mean(right[count > 0] / count[count > 0]))


def _has_passed(scores: Sequence[float]) -> bool:
    """Tell whether the last few scores are all clearly worse than the best."""
    best = max(scores)
    return len(scores) > _PATIENCE and max(scores[-_PATIENCE:]) < best - _CLEARLY * abs(best)
