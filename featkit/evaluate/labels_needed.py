"""How many labels would bring a method to a score, or why the data cannot say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from featkit.errors import UsageError
from featkit.evaluate._inputs import Float
from featkit.evaluate.bootstrap import interval
from featkit.evaluate.learning_curve import LearningCurve, fit_learning_curve

__all__ = ["FARTHEST", "CannotSay", "LabelsNeeded", "labels_needed"]

FEWEST_BUDGETS = 4
"""A curve of three parameters goes through any three points, whatever they are."""

FARTHEST = 10.0
"""How many times the largest n a curve is followed; beyond, nobody has checked its form."""


@dataclass(frozen=True)
class LabelsNeeded:
    """Number of labels, in all, at which a learning curve reaches a target.

    Attributes:
        estimate: Median of the samples; inf where that lies beyond reach.
        low: Lower end of the interval.
        high: Upper end; inf where it lies beyond reach.
    """

    estimate: float
    low: float
    high: float

    def phrase(self, unit: str = "labels") -> str:
        """Return the answer in words, in three significant digits."""
        if math.isinf(self.high):
            return f"at least {_rounded(self.low)} {unit}"
        return (
            f"about {_rounded(self.estimate)} {unit} "
            f"({_rounded(self.low)} to {_rounded(self.high)})"
        )


@dataclass(frozen=True)
class CannotSay:
    """A refusal to name a number of labels.

    Attributes:
        reason: Why, as a sentence's part for a report.
    """

    reason: str

    def phrase(self, unit: str = "labels") -> str:
        """Return the refusal in words; the unit makes no difference."""
        return f"cannot say: {self.reason}"


def labels_needed(
    n: ArrayLike,
    error_samples: ArrayLike,
    target_error: float,
    *,
    level: float = 0.95,
    farthest: float = FARTHEST,
) -> LabelsNeeded | CannotSay:
    """Say how many labels bring a method down to an error, with uncertainty, or refuse.

    After Mahmood et al., "How much more data do I need? Estimating requirements for downstream
    tasks", CVPR 2022: a power law is fitted to the errors that were measured and followed to the
    target, for each bootstrap sample. Numbers beyond `farthest` times the largest n count as out
    of reach; none is below the smallest n. Where labels could remove all error (c near 0), the
    numbers are rather too high, since no fit can have c below 0.

    Args:
        n: Numbers of labels, distinct and above 0, shape (k,).
        error_samples: 1 - score of the same resamplings at each, shape (B, k).
        target_error: 1 - the score to reach, above 0 and below 1.
        level: Coverage of the interval.
        farthest: How far beyond the largest n the curve may be followed.

    Returns:
        The number in all (not on top of those at hand), or the reason why there is none.

    Raises:
        DataError: Arrays that make no learning curve.
        UsageError: A target or level outside 0 to 1, or `farthest` below 1.
    """
    if not 0 < target_error < 1 or not farthest >= 1:
        raise UsageError(
            f"target error {target_error:g}, followed to {farthest:g} times the largest n",
            cause="the target must be between 0 and 1, the factor at least 1",
            remedy="Give 1 - the score that is wanted, for example 0.2",
        )
    budgets = np.size(n)
    if budgets < FEWEST_BUDGETS:
        return CannotSay(
            f"a learning curve takes at least {FEWEST_BUDGETS} label budgets, not {budgets}"
        )
    curve = fit_learning_curve(n, error_samples)
    if not _falls(curve, np.asarray(error_samples, np.float64), level):
        return CannotSay("the error does not clearly fall with more labels")
    if curve.law(curve.n.min()) <= target_error:
        return CannotSay("the smallest budget reaches it already")
    return _answer(curve, target_error, level, farthest)


def _answer(
    curve: LearningCurve, target: float, level: float, farthest: float
) -> LabelsNeeded | CannotSay:
    reach = curve.n.max() * farthest
    needed = np.maximum(curve.resampled.reach(target), curve.n.min())
    # In 1 / n, in which "never" is a number.
    inverse = 1 / needed
    least, most = interval(inverse, level)
    low, estimate, high = (
        1 / value if value * reach >= 1 else math.inf
        for value in (most, float(np.median(inverse)), least)
    )
    if math.isfinite(low):
        return LabelsNeeded(estimate, low, high)
    lowest, highest = interval(curve.resampled.c, level)
    if lowest >= target:
        return CannotSay(
            f"the curve levels off at an error of {curve.law.c:.3f} "
            f"({lowest:.3f} to {highest:.3f}), above the target of {target:.3f}"
        )
    return CannotSay(
        f"it would take more than {farthest:g} times the largest budget, farther than the "
        "curve can be trusted"
    )


def _falls(curve: LearningCurve, samples: Float, level: float) -> bool:
    """Return whether the error's slope along log n is clearly negative."""
    log_n = np.log(curve.n)
    slopes = samples @ (log_n - log_n.mean())
    return interval(slopes, level)[1] < 0


def _rounded(number: float) -> str:
    digits = max(0, math.floor(math.log10(number)) - 2) if number >= 1 else 0
    return f"{round(number, -digits):,.0f}"
