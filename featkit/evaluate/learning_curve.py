"""Learning curves with intervals, from the bootstrap samples of the errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from featkit.evaluate._inputs import Float
from featkit.evaluate._power_fit import Laws, fit_rows
from featkit.evaluate.bootstrap import interval
from featkit.evaluate.power_law import PowerLaw, check_curve

__all__ = ["LearningCurve", "Prediction", "fit_learning_curve"]


@dataclass(frozen=True)
class Prediction:
    """Errors of a learning curve with the interval of each, all of shape (m,)."""

    error: Float
    low: Float
    high: Float


@dataclass(frozen=True)
class LearningCurve:
    """A power law and those of the bootstrap samples around it.

    Attributes:
        n: Numbers of labels, shape (k,).
        error: Mean of the samples at each, shape (k,).
        law: The power law of these means.
        resampled: The power law of each sample.
    """

    n: Float
    error: Float
    law: PowerLaw
    resampled: Laws

    @property
    def r_squared(self) -> float:
        """Share of the variance of the errors that the law explains, NaN if there is none."""
        if np.ptp(self.error) == 0:
            return float("nan")
        missed = np.sum((self.law(self.n) - self.error) ** 2)
        return float(1 - missed / np.sum((self.error - self.error.mean()) ** 2))

    def predict(self, n: ArrayLike, level: float = 0.95) -> Prediction:
        """Return the error at n (m,) labels with its percentile interval.

        The interval knows what the samples know, not how far the true curve is from a power law:
        far beyond the largest n measured it is too narrow.

        Raises:
            UsageError: A level outside 0 to 1.
        """
        labels = np.atleast_1d(np.asarray(n, np.float64))
        ends = [interval(column, level) for column in self.resampled.at(labels).T]
        low, high = np.array(ends).reshape(-1, 2).T
        return Prediction(self.law(labels), low, high)

    def parameter_intervals(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Return the percentile interval of each parameter, by its name a, b or c.

        Raises:
            UsageError: A level outside 0 to 1.
        """
        return {name: interval(getattr(self.resampled, name), level) for name in "abc"}


def fit_learning_curve(n: ArrayLike, samples: ArrayLike) -> LearningCurve:
    """Fit a power law to errors, and to each of their bootstrap samples.

    Args:
        n: Numbers of labels, distinct and above 0, shape (k,) with k at least 3.
        samples: 1 - score of the same resamplings at each, shape (B, k); resamplings that lack a
            score (NaN) are left out.

    Raises:
        DataError: Arrays that make no learning curve, or no whole resampling.
    """
    rows = np.asarray(samples, np.float64)
    if rows.ndim == 2:
        rows = rows[~np.isnan(rows).any(axis=1)]
    labels, rows, weights = check_curve(n, rows, None)
    error = rows.mean(axis=0)
    centre = fit_rows(labels, error[None], weights)
    law = PowerLaw(float(centre.a[0]), float(centre.b[0]), float(centre.c[0]))
    return LearningCurve(labels, error, law, fit_rows(labels, rows, weights))
