"""The top prediction's confidence and the bins that calibration is measured in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featkit.evaluate._inputs import Float, Predictions

__all__ = ["equal_mass_edges", "equal_width_edges", "place", "top_label"]


def top_label(predictions: Predictions) -> tuple[Float, NDArray[np.bool_]]:
    """Return the probability of each top prediction and whether it is right, both (n,)."""
    predicted = predictions.predicted
    confidence = predictions.probabilities[np.arange(len(predicted)), predicted]
    # Reduced precision may put a probability just outside the bins.
    return np.clip(confidence.astype(np.float64), 0.0, 1.0), predicted == predictions.label


def equal_width_edges(bins: int) -> Float:
    """Return the edges of bins of one width from 0 to 1, shape (bins + 1,)."""
    return np.linspace(0.0, 1.0, bins + 1)


def equal_mass_edges(confidence: Float, bins: int) -> Float:
    """Return the edges of bins that hold about as many images each, shape (bins + 1,) or less.

    Images of one confidence stay together, so there may be fewer bins than asked for.
    """
    inner = np.unique(np.quantile(confidence, equal_width_edges(bins)[1:-1]))
    return np.concatenate([[0.0], inner[(inner > 0) & (inner < 1)], [1.0]])


def place(confidence: Float, edges: Float) -> NDArray[np.bool_]:
    """Return which bin holds each image, shape (n, bins); an edge belongs to the bin below."""
    index = np.searchsorted(edges[1:-1], confidence, side="left")
    inside: NDArray[np.bool_] = index[:, None] == np.arange(len(edges) - 1)
    return inside
