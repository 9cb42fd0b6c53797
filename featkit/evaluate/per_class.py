"""Recall, precision and support of each class, by the top predictions.

The arguments are those of a metric: `label` is the true class, shape (n,); `probabilities` has
shape (n, C); `weights` says how often each of B resamplings holds each image, shape (B, n), None
for one evaluation in which each image counts once. All return shape (B, C) and raise DataError
where the arrays do not fit together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from featkit.evaluate._counts import count_classes, divide
from featkit.evaluate._inputs import Float, check_inputs

__all__ = ["class_precision", "class_recall", "class_support"]


def class_recall(
    label: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None
) -> Float:
    """Return the share of each class's images that were found, NaN where there is none."""
    counts = count_classes(check_inputs(label, probabilities, weights))
    return divide(counts.correct, counts.support)


def class_precision(
    label: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None
) -> Float:
    """Return the share of right ones among those predicted as each class, 0 where none was.

    The 0 is scikit-learn's convention: a class that is never predicted is not rewarded.
    """
    counts = count_classes(check_inputs(label, probabilities, weights))
    precision = divide(counts.correct, counts.predicted)
    return np.where(counts.predicted > 0, precision, 0.0)


def class_support(
    label: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None
) -> Float:
    """Return the number of images of each class."""
    return count_classes(check_inputs(label, probabilities, weights)).support
