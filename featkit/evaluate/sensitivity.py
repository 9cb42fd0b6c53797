"""Sensitivity for one class at a fixed specificity."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from featkit.errors import UsageError
from featkit.evaluate._counts import divide
from featkit.evaluate._inputs import Float, check_inputs, chunks

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
    positive = predictions.label[order] == class_index
    found = np.empty(len(predictions.weights))
    for part in chunks(len(predictions.weights), len(order)):
        weights_part = predictions.weights[part][:, order].astype(np.float64)
        true = np.cumsum(weights_part * positive, axis=1)[:, ends]
        false = np.cumsum(weights_part * ~positive, axis=1)[:, ends]
        kept = 1.0 - divide(false, false[:, -1:]) >= specificity - _ROUNDING
        best = np.max(np.where(kept, true, 0.0), axis=1)
        best[false[:, -1] == 0] = np.nan
        found[part] = divide(best, true[:, -1])
    return found
