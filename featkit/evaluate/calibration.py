"""How far confidence is from accuracy."""

from __future__ import annotations

import numpy as np

from featkit.evaluate._confidence import equal_width_edges, place, top_label
from featkit.evaluate._counts import divide
from featkit.evaluate._inputs import Float, Predictions

__all__ = ["BINS", "expected_calibration_error"]

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
