"""How honest probabilities are: all that is said of it, from one pass over the resamples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.comparison._resampling import Resampling, Runs, estimate
from featkit.comparison.comparison import Estimate
from featkit.evaluate import interval

__all__ = ["BINS", "CalibrationScores", "Honesty", "ReliabilityCurve"]

BINS = 15
_LEAST = float(np.finfo(np.float32).tiny)
"""The least probability that counts: the loss stays finite where float32 has no number left."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReliabilityCurve:
    """Accuracy by confidence of the top prediction; bins are equally wide, (low, high].

    Attributes:
        edges: Of the bins, one more than there are bins.
        confidence: Mean confidence, NaN (null in JSON) in an empty bin.
        accuracy: Share of right ones, NaN in an empty bin.
        low: Lower end of the 95% interval of the accuracy over lesions and draws.
        high: Upper end.
        share: Share of the test images in each bin, mean over draws and folds.
    """

    edges: tuple[float, ...]
    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    share: tuple[float, ...]


@dataclass(frozen=True)
class CalibrationScores:
    """How honest probabilities are, each with its 95% interval over lesions and draws.

    Attributes:
        ece: Expected calibration error of the top prediction, as among the comparison's metrics.
            Resampling adds noise that it counts as error, so its interval lies rather high.
        log_loss: Mean negative logarithm of the true class's probability, in nats.
        brier: Mean squared distance of the probabilities from the truth, summed over classes,
            from 0 to 2 (Brier, Monthly Weather Review 1950, equation 2).
        curve: Accuracy against confidence.
    """

    ece: Estimate
    log_loss: Estimate
    brier: Estimate
    curve: ReliabilityCurve


class Honesty:
    """The probabilities of a row at one budget, scored on the test set and on every resample."""

    def __init__(self, runs: Runs, resampling: Resampling) -> None:
        self._point = resampling.point(runs, _honesty)
        self._samples = resampling.samples(runs, _honesty)

    def scores(self) -> CalibrationScores:
        """Return all scores with their intervals."""
        ece, loss, brier = (
            estimate(float(self._point[index]), self._samples[:, index]) for index in range(3)
        )
        curve = _curve(_parts(self._point[None]), _parts(self._samples))
        return CalibrationScores(ece, loss, brier, curve)

    def ece_minus(self, other: Honesty) -> tuple[float, Floats]:
        """Return by how much the calibration error differs, and on each resample, (B,)."""
        return float(self._point[0] - other._point[0]), self._samples[:, 0] - other._samples[:, 0]


def _curve(point: Floats, samples: Floats) -> ReliabilityCurve:
    share, confident, right = point[0]
    ends = [interval(column) for column in _divide(samples[:, 2], samples[:, 0]).T]
    low, high = zip(*ends, strict=True)
    return ReliabilityCurve(
        edges=tuple(np.linspace(0, 1, BINS + 1).tolist()),
        confidence=tuple(_divide(confident, share).tolist()),
        accuracy=tuple(_divide(right, share).tolist()),
        low=low,
        high=high,
        share=tuple(share.tolist()),
    )


def _parts(values: Floats) -> Floats:
    """Return share, confidence and right ones of each bin, shape (B, 3, bins)."""
    return values[:, 3:].reshape(len(values), 3, BINS)


def _honesty(
    label: NDArray[np.int16], probabilities: NDArray[np.float32], weights: ArrayLike | None
) -> Floats:
    """Return ECE, log-loss, Brier score, and three numbers a bin: shape (B, 3 + 3 * bins).

    The numbers of a bin are the share of images in it, and the parts that it has in the mean
    confidence and in the accuracy.
    """
    drawn = np.ones((1, len(label)), np.float32) if weights is None else np.asarray(weights)
    columns = np.column_stack([*_losses(label, probabilities), *_bins(label, probabilities)])
    sums = (drawn @ columns.astype(drawn.dtype)).astype(np.float64)
    means = sums / drawn.sum(axis=1, dtype=np.float64)[:, None]
    _, confident, right = np.split(means[:, 2:], 3, axis=1)
    return np.column_stack([np.abs(right - confident).sum(axis=1), means])


def _losses(label: NDArray[np.int16], probabilities: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Return log-loss and Brier score of each image, each of shape (n,)."""
    known = probabilities.astype(np.float64)
    truth = label[:, None] == np.arange(known.shape[1])
    loss: Floats = -np.log(np.clip(known[truth], _LEAST, 1.0))
    brier: Floats = np.sum((known - truth) ** 2, axis=1)
    return loss, brier


def _bins(label: NDArray[np.int16], probabilities: NDArray[np.float32]) -> tuple[Floats, ...]:
    """Return whether each image is in each bin, its confidence there, and whether it is right."""
    top = np.argmax(probabilities, axis=1)
    confidence = np.clip(probabilities[np.arange(len(top)), top].astype(np.float64), 0.0, 1.0)
    inner_edges = np.linspace(0, 1, BINS + 1)[1:-1]
    inside = np.searchsorted(inner_edges, confidence)[:, None] == np.arange(BINS)
    return (
        inside.astype(np.float64),
        inside * confidence[:, None],
        (inside & (top == label)[:, None]).astype(np.float64),
    )


def _divide(first: Floats, second: Floats) -> Floats:
    quotient = np.full(first.shape, np.nan)
    np.divide(first, second, out=quotient, where=second > 0)
    return quotient
