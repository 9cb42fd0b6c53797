"""Reliability curves: accuracy of the top prediction against its confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.errors import UsageError
from featkit.evaluate._confidence import equal_mass_edges, equal_width_edges, place, top_label
from featkit.evaluate._counts import divide
from featkit.evaluate._inputs import Float, Weights, check_inputs
from featkit.evaluate.bootstrap import interval
from featkit.evaluate.calibration import BINS

__all__ = ["Reliability", "reliability"]


@dataclass(frozen=True)
class Reliability:
    """Accuracy by confidence; each field has shape (bins,), and a bin is (low, high].

    Attributes:
        low: Lower edge of each bin.
        high: Upper edge of each bin.
        confidence: Mean confidence, NaN in an empty bin.
        accuracy: Share of right top predictions, NaN in an empty bin.
        count: Images.
        accuracy_low: Lower end of the 95% interval of the accuracy, NaN without resamplings.
        accuracy_high: Upper end of it.
    """

    low: Float
    high: Float
    confidence: Float
    accuracy: Float
    count: NDArray[np.intp]
    accuracy_low: Float
    accuracy_high: Float

    @property
    def error(self) -> float:
        """Mean gap between confidence and accuracy over the images.

        With the bins of the metric `ece`, its very value.
        """
        gaps = np.abs(self.accuracy - self.confidence)[self.count > 0]
        return float(np.average(gaps, weights=self.count[self.count > 0]))


def reliability(
    label: ArrayLike,
    probabilities: ArrayLike,
    *,
    bins: int = BINS,
    weights: ArrayLike | None = None,
    equal_mass: bool = False,
) -> Reliability:
    """Compare the confidence of top predictions with their accuracy, bin by bin.

    Guo et al., "On calibration of modern neural networks", ICML 2017, section 2.

    Args:
        label: True class, shape (n,).
        probabilities: Shape (n, C).
        bins: Number of bins.
        weights: How often each of B resamplings holds each image, shape (B, n), for the interval
            of each bin's accuracy. The bins stay those of the test set itself.
        equal_mass: Whether bins hold equally many images, instead of being equally wide. Images
            of one confidence stay in one bin, so there may be fewer bins than asked for.

    Raises:
        DataError: The arrays do not fit together.
        UsageError: No bin.
    """
    if bins < 1:
        raise UsageError(f"{bins} bins", cause="there must be at least one", remedy="Use 15")
    predictions = check_inputs(label, probabilities, weights)
    confidence, correct = top_label(predictions)
    edges = equal_mass_edges(confidence, bins) if equal_mass else equal_width_edges(bins)
    inside = place(confidence, edges)
    count = inside.sum(axis=0)
    low = high = np.full(len(count), np.nan)
    if weights is not None:
        low, high = _intervals(inside, correct, predictions.weights)
    return Reliability(
        low=edges[:-1],
        high=edges[1:],
        confidence=divide(confidence @ inside, count),
        accuracy=divide(correct.astype(np.float64) @ inside, count),
        count=count,
        accuracy_low=low,
        accuracy_high=high,
    )


def _intervals(
    inside: NDArray[np.bool_], correct: NDArray[np.bool_], weights: Weights
) -> tuple[Float, Float]:
    """Return the ends of the interval of each bin's accuracy, each of shape (bins,)."""
    columns = np.hstack([inside & correct[:, None], inside]).astype(weights.dtype)
    right, held = np.split((weights @ columns).astype(np.float64), 2, axis=1)
    ends = np.array([interval(samples) for samples in divide(right, held).T])
    return ends[:, 0], ends[:, 1]
