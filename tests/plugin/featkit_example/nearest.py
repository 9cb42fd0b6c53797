"""A head: the nearest class mean, how sharply it decides chosen inside the label budget."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from featkit.errors import UsageError
from featkit.heads import Head, HeldOutRows, Problem

_CANDIDATES = (0.01, 0.03, 0.1, 0.3, 1.0)


class NearestHead(Head):
    """Classes by their distance to class means of standardised features.

    Args:
        sharpness: Candidates for what distances are multiplied by before the softmax.
        imbalance: As in every head; class means need no weights, the choice is judged by them.
        inner_splits: Inner folds; fewer where a class has fewer groups.
        random_state: Seed of the inner folds.
        n_jobs: Threads.
    """

    recipe = 1  # raise it where the code changes what is trained: old Runs are then made anew

    def __init__(
        self,
        *,
        sharpness: Sequence[float] = _CANDIDATES,
        imbalance: str = "weights",
        inner_splits: int = 5,
        random_state: int | np.random.RandomState | None = 0,
        n_jobs: int = 1,
    ) -> None:
        self.sharpness = sharpness
        self.imbalance = imbalance
        self.inner_splits = inner_splits
        self.random_state = random_state
        self.n_jobs = n_jobs

    def check_options(self) -> None:
        """Refuse option values that cannot be meant."""
        super().check_options()
        if not self.sharpness or not all(value > 0 for value in self.sharpness):
            raise UsageError(
                f"sharpness={self.sharpness!r}",
                cause="distances are multiplied by a positive number",
                remedy="Give one or more positive numbers",
            )

    def _fit(self, problem: Problem) -> None:
        """Choose on inner splits, which keep lesions together, then train on everything."""
        rows = [split.validation for split in problem.splits]
        scores = [
            problem.averaged(_scores(*_learned(problem, split.train), problem.judged(held)))
            for split, held in zip(problem.splits, rows, strict=True)
        ]
        best, losses = self.sharpness[0], {}
        if rows:
            held, score = np.concatenate(rows), np.concatenate(scores)
            losses = {value: problem.loss(held, value * score) for value in self.sharpness}
            best = min(losses, key=lambda value: losses[value])
        self.means_, self.scale_ = _learned(problem, np.arange(len(problem.label)))
        self.sharpness_ = np.array([best])
        self.chosen_ = {"sharpness": best, "losses": list(losses.values())}
        self.held_out_ = HeldOutRows(held, softmax(best * score, axis=1)) if rows else None
        self.n_parameters_ = self.means_.size + self.scale_.size

    def _probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return probabilities of rows; the mean over views is taken by whoever calls."""
        scores = self.sharpness_ * _scores(self.means_, self.scale_, features)
        return np.asarray(softmax(scores, axis=1))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Return what a saved model keeps; arrays of other shapes are refused when it is loaded."""
        columns = self.n_features_in_
        return {"means_": (len(self.classes_), columns), "scale_": (columns,), "sharpness_": (1,)}


def _learned(
    problem: Problem, rows: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return class means (C, D) and the deviations (D,) of the rows to train on."""
    features = problem.trained(rows).astype(np.float64)
    label = np.repeat(problem.label[rows], problem.views.train)
    means = np.tile(features.mean(axis=0), (problem.n_classes, 1))  # where a fold lacks a class
    for number in np.unique(label):
        means[number] = features[label == number].mean(axis=0)
    return means, np.maximum(features.std(axis=0), 1e-6)


def _scores(
    means: NDArray[np.float64], scale: NDArray[np.float64], features: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return minus the mean squared distance of rows (n, D) to class means (C, D)."""
    columns = means.shape[1]
    scores = [-np.square((features - mean) / scale).sum(axis=1) / columns for mean in means]
    return np.stack(scores, axis=1)
