"""Two methods compared on the same lesions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from featkit.errors import DataError
from featkit.evaluate.bootstrap import interval

__all__ = ["Difference", "paired_difference"]


@dataclass(frozen=True)
class Difference:
    """The first method's score minus the second's.

    Attributes:
        point: On the test set itself.
        low: Lower end of the interval.
        high: Upper end of the interval.
        p: Two-sided bootstrap p-value of no difference.
    """

    point: float
    low: float
    high: float
    p: float


def paired_difference(
    samples_a: ArrayLike, samples_b: ArrayLike, point: float, level: float = 0.95
) -> Difference:
    """Compare two methods by scores of the same resamplings.

    The p-value is twice the smaller share of resamplings in which the difference is not above,
    or not below, zero; with one added above and below, since the p-value of B resamplings cannot
    be below about 1 / B (Davison & Hinkley, "Bootstrap methods", 1997, section 4.2).

    Args:
        samples_a: Scores of the first method, shape (B,).
        samples_b: Scores of the second on the same resamplings, shape (B,).
        point: Difference of their scores on the test set itself.
        level: Coverage of the interval.

    Returns:
        The difference; NaN where no resampling has both scores.

    Raises:
        DataError: The samples are not of the same resamplings.
        UsageError: A level outside 0 to 1.
    """
    first, second = np.asarray(samples_a, np.float64), np.asarray(samples_b, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise DataError(
            f"cannot pair samples of shapes {first.shape} and {second.shape}",
            cause="they come from different resamplings",
            remedy="Score both methods with the same weights",
        )
    difference = first - second
    difference = difference[~np.isnan(difference)]
    low, high = interval(difference, level)
    not_above, not_below = np.sum(difference <= 0), np.sum(difference >= 0)
    share = (min(not_above, not_below) + 1) / (len(difference) + 1)
    p = min(1.0, 2 * float(share)) if len(difference) else float("nan")
    return Difference(point=float(point), low=low, high=high, p=p)
