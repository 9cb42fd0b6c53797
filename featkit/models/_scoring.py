"""How a model scored on the test images of its Run, each number with its interval over lesions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.evaluate import (
    METRICS,
    Calibrator,
    class_calibration_error,
    class_recall,
    class_support,
    interval,
    scores,
)
from featkit.models.facts import Estimate, Scores, Tested, Threshold, Unlike
from featkit.runs import Run

__all__ = ["finite", "tested_of", "thresholds_of", "unlike_of"]

_SPECIFICITY = 0.95
_TAIL = 0.025
_LEVEL = 0.05
"""Share of the training lesions that count as unlike the others."""


def tested_of(run: Run, calibrated: NDArray[np.floating], weights: NDArray[np.float32]) -> Tested:
    """Return what a Run scored, without and with calibration.

    Args:
        run: The Run.
        calibrated: Its test probabilities, calibrated, (n, C).
        weights: Resamplings of its test lesions, (B, n).
    """
    support = class_support(run.test.label, run.probabilities)[0]
    return Tested(
        name=run.test.name,
        images=len(run.test.label),
        lesions=len(np.unique(run.test.group)),
        resamples=len(weights),
        support={name: int(support[place]) for place, name in enumerate(run.classes)},
        head=_scores(run, run.probabilities, weights),
        calibrated=_scores(run, calibrated, weights),
    )


def _scores(run: Run, known: NDArray[np.floating], weights: NDArray[np.float32]) -> Scores:
    label = run.test.label
    once, drawn = scores(label, known), scores(label, known, weights=weights)
    recall = class_recall(label, known)[0]
    spread = class_recall(label, known, weights)
    gap = class_calibration_error(label, known)[0]
    mean = known.mean(axis=0, dtype=np.float64).tolist()
    lesions = [len(np.unique(run.test.group[label == place])) for place in range(len(run.classes))]
    # A calibration error is above 0 by chance, and once more in resamplings: no interval of theirs.
    return Scores(
        metrics={
            name: Estimate(value=float(once[name][0]))
            if name == "ece"
            else _estimate(float(once[name][0]), drawn[name])
            for name in METRICS
        },
        recall={
            name: _estimate(float(recall[place]), spread[:, place], lesions=lesions[place])
            for place, name in enumerate(run.classes)
        },
        class_calibration={
            name: Estimate(value=finite(float(gap[place])))
            for place, name in enumerate(run.classes)
        },
        mean_probability=dict(zip(run.classes, mean, strict=True)),
    )


def thresholds_of(
    run: Run,
    calibrator: Calibrator,
    tested: NDArray[np.floating],
    weights: NDArray[np.float32],
) -> tuple[Threshold, ...]:
    """Return a threshold for each class that was held out often enough to choose one."""
    if run.held_out is None:
        return ()
    chosen_on = calibrator(run.held_out.probabilities)
    found = []
    for place, name in enumerate(run.classes):
        others = chosen_on[run.held_out.label != place, place]
        if not len(others) or not (run.held_out.label == place).any():
            continue
        threshold = _above(others, _SPECIFICITY)
        flagged, positive = tested[:, place] >= threshold, run.test.label == place
        found.append(
            Threshold(
                name=name,
                probability=threshold,
                aimed=_SPECIFICITY,
                specificity=_share(~flagged, ~positive, run.test.group, weights),
                sensitivity=_share(flagged, positive, run.test.group, weights),
            )
        )
    return tuple(found)


def _above(others: NDArray[np.float64], specificity: float) -> float:
    """Return the least probability that so large a share of the others stays below."""
    ranked = np.sort(others)
    place = math.ceil(specificity * len(ranked) - 1e-9)
    highest = ranked[min(place, len(ranked)) - 1]
    return float(min(1.0, np.nextafter(highest, 2.0)))


def unlike_of(
    unlike: NDArray[np.float64],
    neighbours: int,
    group: NDArray[np.str_],
    weights: NDArray[np.float32],
) -> Unlike:
    """Return how many test images are flagged as unlike the training data.

    Args:
        unlike: How strange each test image is, (n,).
        neighbours: k.
        group: Their lesions, (n,).
        weights: Resamplings of these, (B, n).
    """
    level = 1 - _LEVEL
    everyone = np.ones(len(unlike), bool)
    return Unlike(
        neighbours=neighbours,
        level=_LEVEL,
        false_alarms=_share(unlike >= level, everyone, group, weights),
        images=len(unlike),
    )


def _share(
    counted: NDArray[np.bool_],
    among: NDArray[np.bool_],
    group: NDArray[np.str_],
    weights: NDArray[np.float32],
) -> Estimate:
    """Return the share of images that count among some, with its interval over lesions."""
    total = weights @ among.astype(np.float32)
    part = weights @ (counted & among).astype(np.float32)
    drawn = np.divide(part, total, out=np.full(len(total), np.nan, np.float32), where=total > 0)
    value = float((counted & among).sum() / among.sum()) if among.any() else math.nan
    return _estimate(value, drawn, lesions=len(np.unique(group[among])))


def _estimate(value: float, drawn: ArrayLike, *, lesions: int | None = None) -> Estimate:
    """Return a number with its interval.

    Args:
        value: The number.
        drawn: In each resampling.
        lesions: Of which it is a share. Resamplings of a share of 0 or 1 are all the same, and its
            interval is that of Clopper and Pearson (Biometrika 26, 1934), as if of lesions.
    """
    low, high = interval(drawn)
    if lesions and value in (0.0, 1.0):
        far = (_TAIL ** (1 / lesions)) if value else 1 - _TAIL ** (1 / lesions)
        low, high = sorted((value, far))
    return Estimate(value=finite(value), low=finite(low), high=finite(high))


def finite(value: float) -> float | None:
    """Return a number as JSON has it."""
    return value if math.isfinite(value) else None
