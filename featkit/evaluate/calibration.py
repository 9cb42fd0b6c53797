"""How far confidence is from accuracy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from featkit.evaluate._confidence import equal_width_edges, place, top_label
from featkit.evaluate._counts import divide
from featkit.evaluate._inputs import Float, Predictions, check_inputs

__all__ = ["BINS", "class_calibration_error", "expected_calibration_error"]

BINS = 15
"""Equal-width bins of confidence, (0, 1/15] to (14/15, 1]: the usual number (Guo et al. 2017)."""


def expected_calibration_error(predictions: Predictions) -> Float:
    """Return the mean gap between confidence and accuracy of the top prediction, shape (B,).

    Guo et al., "On calibration of modern neural networks", ICML 2017. It is above 0 by chance
    alone, the more so the fewer the images, and once more in resamplings: compare methods by it
    on the same images, and do not read a small value's interval as one of the true error.
    """
    confidence, correct = top_label(predictions)
    inside = place(confidence, equal_width_edges(BINS))
    gap = inside * (correct - confidence)[:, None]
    weights = predictions.weights
    gaps = np.abs(weights @ gap.astype(weights.dtype)).astype(np.float64)
    return divide(gaps.sum(axis=1), weights.sum(axis=1, dtype=np.float64))


def class_calibration_error(
    label: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None
) -> Float:
    """Return the gap between each class's probability and how often it is true, shape (B, C).

    The mean over images, in bins as above; its mean over classes is the class-wise error of Kull
    et al., "Beyond temperature scaling", NeurIPS 2019. A head that was trained with class weights
    may have honest top predictions and far too high probabilities of rare classes: this tells.

    Args:
        label: True class, shape (n,).
        probabilities: Shape (n, C).
        weights: How often each of B resamplings holds each image, shape (B, n); None for one
            evaluation in which each image counts once.

    Raises:
        DataError: The arrays do not fit together.
    """
    predictions = check_inputs(label, probabilities, weights)
    counts = predictions.weights
    total = counts.sum(axis=1, dtype=np.float64)
    edges = equal_width_edges(BINS)
    columns = []
    for number in range(predictions.n_classes):
        stated = np.clip(predictions.probabilities[:, number].astype(np.float64), 0.0, 1.0)
        gap = place(stated, edges) * ((predictions.label == number) - stated)[:, None]
        gaps = np.abs(counts @ gap.astype(counts.dtype)).astype(np.float64)
        columns.append(divide(gaps.sum(axis=1), total))
    return np.stack(columns, axis=1)
