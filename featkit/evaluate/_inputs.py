"""What every score takes: labels, probabilities and the weights of B resamplings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.errors import DataError

__all__ = ["Float", "Predictions", "Weights", "check_inputs", "chunks", "mean_over"]

Float = NDArray[np.float64]
Weights = NDArray[np.floating[Any]]

_CHUNK_BYTES = 4 * 2**20
"""Size of a float64 work array: small enough to stay in the processor's cache."""

_TOLERANCE = 1e-3
"""How far a probability of reduced precision may lie outside 0 to 1."""


@dataclass(frozen=True)
class Predictions:
    """Checked inputs of a score over n images, C classes and B resamplings.

    Attributes:
        label: True class, shape (n,).
        probabilities: Shape (n, C).
        weights: How often each resampling holds each image, shape (B, n).
    """

    label: NDArray[np.intp]
    probabilities: NDArray[np.floating[Any]]
    weights: Weights

    @property
    def n_classes(self) -> int:
        """Number of classes C."""
        return int(self.probabilities.shape[1])

    @property
    def predicted(self) -> NDArray[np.intp]:
        """Class of the highest probability, the first of equals, shape (n,)."""
        predicted: NDArray[np.intp] = np.argmax(self.probabilities, axis=1)
        return predicted


def check_inputs(
    label: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None
) -> Predictions:
    """Refuse arrays that would give a wrong but plausible score.

    Args:
        label: True class, shape (n,).
        probabilities: Shape (n, C).
        weights: Shape (B, n), or None for one evaluation in which each image counts once.

    Raises:
        DataError: Shapes that do not fit, no image, a label outside the classes, probabilities
            or weights that are none.
    """
    truth, scores = np.asarray(label), np.asarray(probabilities)
    if not np.issubdtype(scores.dtype, np.floating):
        scores = scores.astype(np.float64)
    counts = np.ones((1, len(truth)), np.float32) if weights is None else np.asarray(weights)
    if counts.dtype not in (np.float32, np.float64):
        counts = counts.astype(np.float64)
    if truth.ndim != 1 or scores.ndim != 2 or counts.ndim != 2 or not len(truth):
        _refuse(truth, scores, counts, "they must be (n,), (n, C) and (B, n), with n above 0")
    if len(scores) != len(truth) or counts.shape[1] != len(truth):
        _refuse(truth, scores, counts, "they do not name the same number of images")
    if not np.issubdtype(truth.dtype, np.integer) or truth.min() < 0:
        _refuse(truth, scores, counts, "a label is no class; images without a label have no score")
    if truth.max() >= scores.shape[1]:
        _refuse(truth, scores, counts, f"a label of {truth.max()} is outside the classes")
    # Written so that NaN, which fails every comparison, is refused.
    if not (scores.min() >= -_TOLERANCE and scores.max() <= 1 + _TOLERANCE):
        _refuse(truth, scores, counts, "a probability is not a number or not between 0 and 1")
    if not (counts.size == 0 or (counts.min() >= 0 and counts.max() < np.inf)):
        _refuse(truth, scores, counts, "a weight is negative or not a number")
    return Predictions(truth.astype(np.intp), scores, counts)


def chunks(n_resamples: int, width: int) -> Iterator[slice]:
    """Give slices of resamplings whose float64 array of `width` columns fits in memory."""
    step = max(1, _CHUNK_BYTES // (8 * max(1, width)))
    for start in range(0, n_resamples, step):
        yield slice(start, start + step)


def mean_over(values: Float, valid: NDArray[np.bool_]) -> Float:
    """Return the mean of each row's valid values, NaN where there is none, shape (B,)."""
    count = valid.sum(axis=1)
    total = np.where(valid, values, 0.0).sum(axis=1)
    mean: Float = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return mean


def _refuse(
    label: NDArray[Any], probabilities: NDArray[Any], weights: NDArray[Any], cause: str
) -> NoReturn:
    shapes = f"{label.shape}, {probabilities.shape} and {weights.shape}"
    raise DataError(
        f"cannot score labels, probabilities and weights of shapes {shapes}",
        cause=cause,
        remedy="Check the run that the arrays come from",
    )
