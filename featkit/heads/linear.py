"""The linear head: multinomial logistic regression, its strength chosen inside the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from featkit.errors import UsageError
from featkit.heads._arrays import arrays_on
from featkit.heads._path import Path, Rows, logits
from featkit.heads._problem import Problem, flat
from featkit.heads._scaling import Scaling, row_space
from featkit.heads._strengths import CRITERIA, Choice, row_weights, walk
from featkit.heads.base import Head

__all__ = ["LinearHead"]

_STRENGTHS = tuple(float(f"{strength:.3g}") for strength in np.logspace(-5, 1, 10))
_FINAL_TOLERANCE = 1e-9
"""The last fit is solved more exactly than those that only rank the strengths."""


class LinearHead(Head):
    """Standardised features, a linear map and a softmax, with an L2 penalty.

    The strength C is chosen by cross-validation over grouped inner folds: one path from strong to
    weak regularisation for all folds, ended early once it has become clearly worse.

    All folds, and all heads that are fitted together on the same rows, are solved at once, each to
    the optimum that scikit-learn's LogisticRegression has.

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
        device: Where to solve: "cpu", "auto", "cuda", "cuda:N" or "mps".

    Attributes:
        coef_: (C, D) coefficients of standardised features; (1, D) for two classes.
        intercept_: (C,) or (1,).
        mean_: (D,) of the training features.
        scale_: (D,) standard deviation; 1 for constant columns.
    """

    recipe = 2
    shares = "rows"

    def __init__(
        self,
        *,
        strengths: Sequence[float] = _STRENGTHS,
        criterion: str = "balanced_accuracy",
        imbalance: str = "weights",
        inner_splits: int = 5,
        random_state: int | np.random.RandomState | None = 0,
        n_jobs: int = 1,
        device: str = "cpu",
    ) -> None:
        self.strengths = strengths
        self.criterion = criterion
        self.imbalance = imbalance
        self.inner_splits = inner_splits
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.device = device

    def _fit(self, problem: Problem) -> None:
        self._fit_together([self], [problem])

    @classmethod
    def _fit_together(cls, heads: Sequence[Self], problems: Sequence[Problem]) -> None:
        """Solve on the same rows at once; heads on other rows have no product in common."""
        waiting = list(zip(heads, problems, strict=True))
        while waiting:
            first = waiting[0][1]
            same = [_same_rows(first, problem) for _, problem in waiting]
            _fit_on_same_rows([pair for pair, found in zip(waiting, same, strict=True) if found])
            waiting = [pair for pair, found in zip(waiting, same, strict=True) if not found]

    def _probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        scaled = (features - self.mean_.astype(np.float64)) / self.scale_
        coefficients = np.column_stack([self.coef_, self.intercept_])
        return np.asarray(softmax(logits(scaled, coefficients), axis=1))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        columns, classes = self.n_features_in_, len(self.classes_)
        rows = 1 if classes == 2 else classes
        across = {"mean_": (columns,), "scale_": (columns,)}
        return {"coef_": (rows, columns), "intercept_": (rows,), **across}

    def check_options(self) -> None:
        """Refuse option values that cannot be meant."""
        super().check_options()
        if self.criterion not in CRITERIA:
            raise UsageError(
                f"criterion={self.criterion!r}",
                cause="there is no such criterion for the strength",
                remedy=f"Choose one of {', '.join(CRITERIA)}",
            )
        if not len(self.strengths) or not all(strength > 0 for strength in self.strengths):
            raise UsageError(
                f"strengths={self.strengths!r}",
                cause="the strength C of a penalty is a positive number",
                remedy="Give one or more positive numbers",
            )


def _same_rows(problem: Problem, other: Problem) -> bool:
    """Tell whether two problems are about the same rows, however they are split."""
    return (
        problem.views == other.views
        and np.array_equal(problem.label, other.label)
        and np.array_equal(problem.features, other.features)
    )


def _fit_on_same_rows(pairs: Sequence[tuple[LinearHead, Problem]]) -> None:
    """Choose all strengths on one path, then train all heads at once, each at its own strength."""
    head, problem = pairs[0]
    scaling = Scaling.of(problem.trained())
    features, basis = _rotated(problem, scaling)
    problems = [replace(problem, features=features) for _, problem in pairs]
    strengths = sorted(float(strength) for strength in head.strengths)
    choices = [Choice(problem, strengths, head.criterion) for problem in problems]
    weights = np.stack([row_weights(problem) for problem in problems])
    label = np.repeat(problem.label, problem.views.train)
    rows = Rows(problems[0].trained(), label, weights[0], arrays=arrays_on(head.device))
    walk(choices, rows, strengths)
    start = np.stack([choice.start for choice in choices])
    path = Path(rows, weights, start=start, tolerance=_FINAL_TOLERANCE)
    solutions = path.solve([choice.strength for choice in choices])
    for (head, _), choice, solution in zip(pairs, choices, solutions, strict=True):
        coefficients, head.intercept_ = solution[:, :-1], solution[:, -1]
        head.coef_ = coefficients if basis is None else coefficients @ basis.T
        head.mean_, head.scale_ = scaling
        head.chosen_, head.held_out_ = choice.record, choice.held_out
        head.n_parameters_ = head.coef_.size + head.intercept_.size


def _rotated(
    problem: Problem, scaling: Scaling
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Return features (n, V, D) in standardised coordinates, and their basis (see `row_space`)."""
    scaled = scaling.apply(problem.features)
    count, views, _ = scaled.shape
    coordinates, basis = row_space(flat(scaled[:, : problem.views.train]))
    if basis is None:
        coordinates = scaled
    elif views > problem.views.train:
        coordinates = scaled @ basis
    return coordinates.reshape(count, views, -1), basis
