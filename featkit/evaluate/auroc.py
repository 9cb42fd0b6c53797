"""Area under the ROC curve of each class against all others."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.evaluate._counts import divide
from featkit.evaluate._inputs import Float, Predictions, Weights, check_inputs, chunks, mean_over

__all__ = ["macro_auroc", "one_vs_rest_auroc"]


def one_vs_rest_auroc(
    label: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None
) -> Float:
    """Return the AUROC of each class against the rest: the Mann-Whitney statistic, ties halved.

    Args:
        label: True class, shape (n,).
        probabilities: Shape (n, C).
        weights: How often each of B resamplings holds each image, shape (B, n).

    Returns:
        Shape (B, C), NaN where a resampling lacks the class, or all others.

    Raises:
        DataError: The arrays do not fit together.
    """
    return _each_class(check_inputs(label, probabilities, weights))


def macro_auroc(predictions: Predictions) -> Float:
    """Return the mean AUROC over the classes that the resampling holds, shape (B,)."""
    values = _each_class(predictions)
    return mean_over(values, ~np.isnan(values))


def _each_class(predictions: Predictions) -> Float:
    columns = [_binary(predictions, number) for number in range(predictions.n_classes)]
    return np.stack(columns, axis=1)


def _binary(predictions: Predictions, number: int) -> Float:
    scores = predictions.probabilities[:, number]
    positive = np.flatnonzero(predictions.label == number)
    negative = np.flatnonzero(predictions.label != number)
    # The smaller side is looked up in the larger; which is which only flips the statistic.
    if len(positive) <= len(negative):
        return _beaten(scores, predictions.weights, positive, negative)
    return 1.0 - _beaten(scores, predictions.weights, negative, positive)


def _beaten(
    scores: NDArray[np.floating],
    weights: Weights,
    few: NDArray[np.intp],
    many: NDArray[np.intp],
) -> Float:
    """Return the weighted share of pairs (few, many) in which `few` scores higher, shape (B,)."""
    many = many[np.argsort(scores[many])]
    below = np.searchsorted(scores[many], scores[few], side="left")
    not_above = np.searchsorted(scores[many], scores[few], side="right")
    # Only the sums between places that are looked up are needed, not every partial sum.
    places = np.unique(np.concatenate([[0], below, not_above]))
    starts = places[places < len(many)]
    below, not_above = np.searchsorted(places, below), np.searchsorted(places, not_above)
    share = np.full(len(weights), np.nan)
    if not len(few):
        return share
    for part in chunks(len(weights), len(many) + 2 * len(few)):
        sums = np.add.reduceat(weights[part][:, many], starts, axis=1, dtype=np.float64)
        before = np.zeros((len(sums), len(starts) + 1))
        np.cumsum(sums, axis=1, out=before[:, 1:])
        weight = weights[part][:, few].astype(np.float64)
        won = np.einsum("bi,bi->b", weight, before[:, below] + before[:, not_above]) / 2
        share[part] = divide(won, weight.sum(axis=1) * before[:, -1])
    return share
