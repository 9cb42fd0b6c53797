"""The metrics that methods are compared by, each one number for each resampling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from featkit.errors import UsageError
from featkit.evaluate._counts import Counts, count_classes, divide
from featkit.evaluate._inputs import Float, Predictions, check_inputs, mean_over
from featkit.evaluate.auroc import macro_auroc
from featkit.evaluate.calibration import expected_calibration_error

__all__ = ["METRICS", "Metric", "find_metric", "scores"]


@dataclass(frozen=True)
class Metric:
    """A score of predictions; call it with arrays.

    Attributes:
        name: Name in options and files.
        title: Name in tables and plots.
        higher_is_better: Whether more is better.
    """

    name: str
    title: str
    higher_is_better: bool
    _score: Callable[[Predictions], Float]

    def __call__(
        self, label: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None
    ) -> Float:
        """Score B resamplings of n images.

        A class that a resampling lacks is left out of that resampling's mean over classes, and
        so is a class that the test set lacks altogether.

        Args:
            label: True class, shape (n,).
            probabilities: Shape (n, C).
            weights: How often each resampling holds each image, shape (B, n); None = one
                evaluation in which each image counts once.

        Returns:
            Shape (B,), or (1,) without weights. NaN where a resampling has no defined score.

        Raises:
            DataError: The arrays do not fit together.
        """
        return self._score(check_inputs(label, probabilities, weights))


def _balanced_accuracy(predictions: Predictions) -> Float:
    counts = count_classes(predictions)
    return mean_over(divide(counts.correct, counts.support), counts.support > 0)


def _accuracy(predictions: Predictions) -> Float:
    counts = count_classes(predictions)
    return divide(counts.correct.sum(axis=1), counts.support.sum(axis=1))


def _macro_f1(predictions: Predictions) -> Float:
    counts = count_classes(predictions)
    return mean_over(_f1(counts), counts.support > 0)


def _weighted_f1(predictions: Predictions) -> Float:
    counts = count_classes(predictions)
    weighted = np.where(counts.support > 0, _f1(counts) * counts.support, 0.0)
    return divide(weighted.sum(axis=1), counts.support.sum(axis=1))


def _f1(counts: Counts) -> Float:
    return divide(2 * counts.correct, counts.support + counts.predicted)


_ALL = (
    Metric("balanced_accuracy", "Balanced accuracy", True, _balanced_accuracy),
    Metric("accuracy", "Accuracy", True, _accuracy),
    Metric("macro_f1", "Macro F1", True, _macro_f1),
    Metric("weighted_f1", "Weighted F1", True, _weighted_f1),
    Metric("macro_auroc", "Macro AUROC", True, macro_auroc),
    Metric("ece", "Calibration error", False, expected_calibration_error),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ALL})
"""All metrics by name, the first metric of a comparison first."""


def find_metric(name: str) -> Metric:
    """Return a metric by name.

    Raises:
        UsageError: There is no such metric.
    """
    if name not in METRICS:
        names = ", ".join(METRICS)
        raise UsageError(f"metric {name}", cause="no such metric", remedy=f"Use one of {names}")
    return METRICS[name]


def scores(
    label: ArrayLike,
    probabilities: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    metrics: Iterable[str] = tuple(METRICS),
) -> dict[str, Float]:
    """Return several metrics of the same predictions by name, each as `Metric.__call__` does.

    Args:
        label: True class, shape (n,).
        probabilities: Shape (n, C).
        weights: How often each of B resamplings holds each image, shape (B, n).
        metrics: Names of metrics.

    Raises:
        DataError: The arrays do not fit together.
        UsageError: There is no such metric.
    """
    return {name: find_metric(name)(label, probabilities, weights) for name in metrics}
