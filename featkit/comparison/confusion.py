"""Confusion matrices: which class is taken for which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.comparison._resampling import Resampling, Runs
from featkit.comparison.evidence import Evidence
from featkit.runs import Run, TestSet

__all__ = ["ConfusionMatrix", "confusion_matrices"]


@dataclass(frozen=True)
class ConfusionMatrix:
    """What one method at one budget takes each class for; rows are true classes, columns top ones.

    Attributes:
        method: Row of the table.
        budget: Percent of the training lesions.
        counts: Images, mean over draws, sum over test sets, C rows of C numbers.
        rates: Shares of each class's images, mean over draws and folds; the diagonal is the
            recall of the comparison. NaN (null in JSON) for a class without test images.
        images: Test images of each class.
        lesions: Their distinct lesions.
    """

    method: str
    budget: float
    counts: tuple[tuple[float, ...], ...]
    rates: tuple[tuple[float, ...], ...]
    images: tuple[int, ...]
    lesions: tuple[int, ...]


def confusion_matrices(evidence: Evidence) -> Iterator[ConfusionMatrix]:
    """Return the mean confusion matrix of every row and budget."""
    grid = evidence.grid
    for method in grid.methods:
        for budget in grid.budgets:
            runs = grid.runs(method, budget)
            if runs:
                yield _matrix(method, budget, runs, evidence.resampling)


def _matrix(method: str, budget: float, runs: Runs, resampling: Resampling) -> ConfusionMatrix:
    by_test: dict[str, list[Run]] = {}
    for run in runs.values():
        by_test.setdefault(run.test.fingerprint, []).append(run)
    counts = [
        np.mean([_counts(run.test.label, run.probabilities) for run in same], axis=0)
        for same in by_test.values()
    ]
    rates = resampling.point(runs, _rates)
    tests = [same[0].test for same in by_test.values()]
    size = len(rates)
    return ConfusionMatrix(
        method=method,
        budget=budget,
        counts=_rows(np.sum(counts, axis=0)),
        rates=_rows(rates),
        images=tuple(sum(int(np.sum(test.label == c)) for test in tests) for c in range(size)),
        lesions=tuple(_lesions(tests, c) for c in range(size)),
    )


def _counts(label: NDArray[np.int16], probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    size = probabilities.shape[1]
    cell = label.astype(np.intp) * size + np.argmax(probabilities, axis=1)
    return np.bincount(cell, minlength=size * size).reshape(size, size).astype(np.float64)


def _rates(
    label: NDArray[np.int16], probabilities: NDArray[np.float32], _: None
) -> NDArray[np.float64]:
    """Return the shares of each class's images as a statistic of one resample, (1, C, C)."""
    counts = _counts(label, probabilities)
    support = counts.sum(axis=1, keepdims=True)
    rates = np.full((1, *counts.shape), np.nan)
    np.divide(counts, support, out=rates[0], where=support > 0)
    return rates


def _lesions(tests: list[TestSet], label: int) -> int:
    return len(np.unique(np.concatenate([test.group[test.label == label] for test in tests])))


def _rows(matrix: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())
