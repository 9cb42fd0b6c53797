"""Learning curves as power laws of the number of training lesions, and what they promise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.comparison.comparison import Estimate
from featkit.comparison.evidence import Evidence
from featkit.errors import UsageError
from featkit.evaluate import (
    CannotSay,
    LabelsNeeded,
    LearningCurve,
    PowerLaw,
    find_metric,
    fit_learning_curve,
    labels_needed,
)

__all__ = ["LearningLaw", "LesionsNeeded", "check_target", "learning_laws", "lesions_needed"]

Floats = NDArray[np.float64]

_FEWEST = 4
"""A curve of three parameters goes through any three points."""
_DRAWN = 40
"""Points of a drawn curve."""


@dataclass(frozen=True)
class LesionsNeeded:
    """How many training lesions would bring a method to a score.

    Attributes:
        target: The score.
        lesions: In all, with the 95% interval; infinite (null in JSON) where it is beyond reach.
            None where the data cannot say.
        more: The same on top of the lesions at the largest budget.
        words: The answer, or the reason why there is none; also that the score was measured.
    """

    target: float
    lesions: Estimate | None
    more: Estimate | None
    words: str


@dataclass(frozen=True)
class LearningLaw:
    """A method's error as a power law, error(n) = a·n^-b + c, of n training lesions.

    Attributes:
        method: Row.
        lesions: Mean number of training lesions at each budget.
        error: 1 - score at each, mean of the resamples.
        law: The fitted law by its parameters a, b and c.
        intervals: Of each parameter, 95%, by its name.
        r_squared: Share of the variance of the errors that the law explains.
        curve: Points (lesions, score, low, high) of the fitted law with its interval.
    """

    method: str
    lesions: tuple[float, ...]
    error: tuple[float, ...]
    law: PowerLaw
    intervals: Mapping[str, tuple[float, float]]
    r_squared: float
    curve: tuple[tuple[float, float, float, float], ...]


def learning_laws(evidence: Evidence) -> Iterator[LearningLaw]:
    """Fit a law to each row with four budgets or more, if more of the metric is better."""
    for method in evidence.grid.methods:
        lesions, samples = _measured(evidence, method)
        if len(lesions) >= _FEWEST and evidence.metric.higher_is_better:
            yield _law(method, fit_learning_curve(lesions, 1 - samples))


def _law(method: str, curve: LearningCurve) -> LearningLaw:
    at = np.geomspace(curve.n.min(), curve.n.max(), _DRAWN)
    drawn = curve.predict(at)
    # Low error is high score.
    points = zip(at, 1 - drawn.error, 1 - drawn.high, 1 - drawn.low, strict=True)
    return LearningLaw(
        method=method,
        lesions=tuple(curve.n.tolist()),
        error=tuple(curve.error.tolist()),
        law=curve.law,
        intervals=curve.parameter_intervals(),
        r_squared=curve.r_squared,
        curve=tuple((float(n), float(s), float(low), float(high)) for n, s, low, high in points),
    )


def check_target(metric: str, target: float) -> None:
    """Refuse a target that no number of lesions is the answer to.

    Raises:
        UsageError: A target outside 0 to 1, or a metric of which less is better.
    """
    wanted = find_metric(metric)
    if not 0 < target < 1 or not wanted.higher_is_better:
        raise UsageError(
            f"--target {target:g} for {wanted.title.lower()}",
            cause="it must be between 0 and 1, of a metric of which more is better",
            remedy="Give for example --target 0.7, with balanced accuracy",
        )


def lesions_needed(evidence: Evidence, target: float) -> dict[str, LesionsNeeded]:
    """Say, for each row, how many training lesions would bring it to a score, or why not.

    Args:
        evidence: Runs and their comparison.
        target: Between 0 and 1.

    Raises:
        UsageError: A target outside 0 to 1, or a metric of which less is better.
    """
    check_target(evidence.metric.name, target)
    return {method: _of_method(evidence, method, target) for method in evidence.grid.methods}


def _of_method(evidence: Evidence, method: str, target: float) -> LesionsNeeded:
    reached = [
        cell.train_lesions
        for cell in evidence.comparison.cells
        if cell.method == method and cell.scores[evidence.metric.name].value >= target
    ]
    if reached:
        words = f"none: it has this score with {min(reached):,.0f} lesions"
        return LesionsNeeded(target, None, None, words)
    return _needed(*_measured(evidence, method), target)


def _needed(lesions: Floats, samples: Floats, target: float) -> LesionsNeeded:
    found = labels_needed(lesions, 1 - samples, 1 - target)
    if isinstance(found, CannotSay):
        return LesionsNeeded(target, None, None, found.phrase())
    most = float(lesions.max())
    ends = (found.estimate, found.low, found.high)
    more = LabelsNeeded(*(max(0.0, count - most) for count in ends))
    words = f"{more.phrase('more')} than the {most:,.0f} at hand: {found.phrase('lesions')} in all"
    return LesionsNeeded(
        target, Estimate(*ends), Estimate(more.estimate, more.low, more.high), words
    )


def _measured(evidence: Evidence, method: str) -> tuple[Floats, Floats]:
    """Return the numbers of lesions (k,) that a row was trained on, and its samples (B, k)."""
    grid = evidence.grid
    lesions: dict[float, Floats] = {}
    for budget in grid.budgets:
        runs = grid.runs(method, budget)
        if runs:
            # In a small data set two budgets may come to the same lesions: the first stays.
            count = float(np.mean([run.train_lesions for run in runs.values()]))
            lesions.setdefault(count, evidence.scored.samples(runs))
    return np.array(list(lesions)), np.stack(list(lesions.values()), axis=1)
