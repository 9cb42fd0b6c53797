"""Counts by class, from which all scores of the top prediction follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.evaluate._inputs import Float, Predictions

__all__ = ["Counts", "count_classes", "divide"]


@dataclass(frozen=True)
class Counts:
    """Weighted numbers of images by class in B resamplings, each of shape (B, C).

    Attributes:
        correct: Images of the class that were predicted as such.
        support: Images of the class.
        predicted: Images predicted as the class.
    """

    correct: Float
    support: Float
    predicted: Float


def count_classes(predictions: Predictions) -> Counts:
    """Count by one matrix product with indicators, so that thousands of resamplings are cheap."""
    label, predicted = predictions.label, predictions.predicted
    is_label = _indicators(label, predictions.n_classes)
    is_predicted = _indicators(predicted, predictions.n_classes)
    columns = np.hstack([is_label & is_predicted, is_label, is_predicted])
    # Counts stay exact in float32 up to 2^24 images.
    totals = (predictions.weights @ columns.astype(predictions.weights.dtype)).astype(np.float64)
    correct, support, chosen = np.split(totals, 3, axis=1)
    return Counts(correct=correct, support=support, predicted=chosen)


def divide(numerator: Float, denominator: Float) -> Float:
    """Return the quotient, NaN where the denominator is 0."""
    out = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    quotient: Float = np.divide(numerator, denominator, out=out, where=denominator > 0)
    return quotient


def _indicators(index: NDArray[np.intp], n_classes: int) -> NDArray[np.bool_]:
    indicators: NDArray[np.bool_] = index[:, None] == np.arange(n_classes)
    return indicators
