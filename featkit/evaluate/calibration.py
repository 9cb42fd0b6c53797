"""How far confidence is from accuracy."""

from __future__ import annotations

import numpy as np

from featkit.evaluate._counts import divide
from featkit.evaluate._inputs import Float, Predictions

__all__ = ["BINS", "expected_calibration_error"]

BINS = 15
"""Equal-width bins of confidence, (0, 1/15] to (14/15, 1]: the usual number (Guo et al. 2017)."""


def expected_calibration_error(predictions: Predictions) -> Float:
    """Return the mean gap between confidence and accuracy of the top prediction, shape (B,).

    Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    predicted = predictions.predicted
    rows = np.arange(len(predicted))
    confidence = predictions.probabilities[rows, predicted].astype(np.float64)
    edges = np.linspace(0.0, 1.0, BINS + 1)[1:-1]
    bins = np.searchsorted(edges, confidence, side="left")
    gap = np.zeros((len(rows), BINS))
    gap[rows, bins] = (predicted == predictions.label) - confidence
    weights = predictions.weights
    gaps = np.abs(weights @ gap.astype(weights.dtype)).astype(np.float64)
    return divide(gaps.sum(axis=1), weights.sum(axis=1, dtype=np.float64))
