"""Sensitivity for one class at a fixed specificity."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.errors import UsageError
from featkit.evaluate._counts import divide
from featkit.evaluate._inputs import Float, Weights, check_inputs, chunks

__all__ = ["sensitivity_at_specificity"]

_ROUNDING = 1e-9
"""So that 19 of 20 is a specificity of 0.95, whatever binary fractions make of it."""


def sensitivity_at_specificity(
    label: ArrayLike,
    probabilities: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    class_index: int,
    specificity: float = 0.95,
) -> Float:
    """Return the highest sensitivity for a class that keeps the specificity.

    The threshold is chosen on the very images that are scored, anew in each resampling: a point
    of the empirical ROC curve, slightly optimistic for a threshold that was fixed beforehand.

    Args:
        label: True class, shape (n,).
        probabilities: Shape (n, C).
        weights: How often each of B resamplings holds each image, shape (B, n).
        class_index: The class that counts as positive.
        specificity: Share of all others that must stay negative, from 0 to 1.

    Returns:
        Shape (B,), NaN where a resampling lacks the class, or all others.

    Raises:
        DataError: The arrays do not fit together.
        UsageError: No such class or specificity.
    """
    predictions = check_inputs(label, probabilities, weights)
    if not 0 <= class_index < predictions.n_classes or not 0 <= specificity <= 1:
        raise UsageError(
            f"sensitivity for class {class_index} at specificity {specificity:g}",
            cause=f"there are {predictions.n_classes} classes and specificity is from 0 to 1",
            remedy="Choose another class or specificity",
        )
    score = predictions.probabilities[:, class_index]
    order = np.argsort(-score)
    # A threshold lies between distinct scores, so that equal ones fall on one side together.
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    positive = predictions.label == class_index
    sides = np.column_stack([positive, ~positive]).astype(predictions.weights.dtype)
    totals = (predictions.weights @ sides).astype(np.float64)
    found = np.empty(len(totals))
    likely = np.mean(positive) + 2 * (1 - specificity)
    for part in chunks(len(totals), len(order)):
        true = _true_positives(
            predictions.weights[part],
            order,
            ends,
            positive,
            totals[part, 1:],
            lowest=specificity - _ROUNDING,
            thresholds=1 + int(likely * len(ends)),
        )
        found[part] = divide(true, totals[part, 0])
    found[totals[:, 1] == 0] = np.nan
    return found


def _true_positives(
    weights: Weights,
    order: NDArray[np.intp],
    ends: NDArray[np.intp],
    positive: NDArray[np.bool_],
    negatives: Float,
    *,
    lowest: float,
    thresholds: int,
) -> Float:
    """Return the most positives above a threshold that keeps the specificity, shape (B,).

    Specificity falls from threshold to threshold, so only the first ones are looked at: more of
    them until no resampling keeps it at the last.
    """
    while True:
        stops = ends[:thresholds]
        images = order[: stops[-1] + 1]
        drawn = weights[:, images].astype(np.float64)
        false = np.cumsum(drawn * ~positive[images], axis=1)[:, stops]
        kept = 1.0 - divide(false, negatives) >= lowest
        if len(stops) == len(ends) or not kept[:, -1].any():
            true = np.cumsum(drawn * positive[images], axis=1)[:, stops]
            most: Float = np.max(np.where(kept, true, 0.0), axis=1)
            return most
        thresholds *= 2
