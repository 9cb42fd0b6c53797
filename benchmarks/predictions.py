"""Scores of what contenders predicted for the test images, by featkit's own evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featkit.evaluate import Difference, lesion_weights, paired_difference, scores

__all__ = ["balanced_accuracy", "paired"]

_RESAMPLES = 2_000
_METRIC = "balanced_accuracy"


def balanced_accuracy(data: Path, predictions: Sequence[Path]) -> float:
    """Return the balanced accuracy on the test images, the mean over several predictions.

    Args:
        data: What `save_split` wrote.
        predictions: NumPy files with `probabilities` (n, C) of the test images.
    """
    return float(np.mean(_samples(data, predictions, None)))


def paired(data: Path, ours: Sequence[Path], theirs: Sequence[Path]) -> Difference:
    """Return our balanced accuracy minus theirs, with a paired bootstrap over lesions.

    Each side's score is the mean over its fits (other seeds), on the same resampled lesions.

    Args:
        data: What `save_split` wrote.
        ours: NumPy files of our predictions.
        theirs: As many of theirs.
    """
    weights = lesion_weights(np.load(data)["groups_test"], resamples=_RESAMPLES, seed=0)
    point = balanced_accuracy(data, ours) - balanced_accuracy(data, theirs)
    first, second = (_samples(data, files, weights) for files in (ours, theirs))
    return paired_difference(first, second, point)


def _samples(
    data: Path, predictions: Sequence[Path], weights: NDArray[np.float32] | None
) -> NDArray[np.float64]:
    label = np.load(data)["y_test"]
    found = [
        scores(label, np.load(file)["probabilities"], weights=weights, metrics=[_METRIC])[_METRIC]
        for file in predictions
    ]
    return np.asarray(np.mean(found, axis=0), dtype=np.float64)
