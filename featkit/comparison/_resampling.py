"""Resampling: the same resampled lesions and draws for every method, so that pairs stay pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from featkit.comparison.comparison import Estimate
from featkit.evaluate import interval, lesion_weights
from featkit.fingerprints import stable_seed
from featkit.runs import Run, TestSet

__all__ = ["Resampling", "Statistic", "estimate"]

#: (label, probabilities, weights (B, n) or None) -> values (B, ...).
Statistic = Callable[..., NDArray[np.float64]]

#: The Runs of one method at one budget, by (fold, draw).
Runs = Mapping[tuple[int, int], Run]


class Resampling:
    """Bootstrap resamples of a grid's test lesions, and of the draws.

    Each resample takes test lesions with replacement, a lesion as often in every fold that it is
    tested in, and training draws with replacement, so that an interval holds what another sample
    of lesions to test on, or another draw to learn from, would have changed. Methods that were
    trained on the same draws share both.

    Args:
        tests: The test set of each fold.
        resamples: B.
        seed: Decides the resamples.
    """

    def __init__(self, tests: Mapping[int, TestSet], *, resamples: int, seed: int) -> None:
        self._tests = tests
        self._resamples = resamples
        self._seed = seed

    @cached_property
    def _weights(self) -> dict[int, NDArray[np.float32]]:
        lesions = np.unique(np.concatenate([test.group for test in self._tests.values()]))
        drawn = lesion_weights(lesions, resamples=self._resamples, seed=stable_seed(self._seed, 0))
        return {
            fold: drawn[:, np.searchsorted(lesions, test.group)]
            for fold, test in self._tests.items()
        }

    def point(self, runs: Runs, statistic: Statistic) -> NDArray[np.float64]:
        """Return the statistic on the whole test set, averaged over draws and folds."""
        return self.mean(
            {
                key: statistic(run.test.label, run.probabilities, None)[0]
                for key, run in runs.items()
            }
        )

    @staticmethod
    def mean(values: Mapping[tuple[int, int], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Average values by (fold, draw) over draws, then over folds."""
        folds = sorted({fold for fold, _ in values})
        by_fold = [np.mean([v for (f, _), v in values.items() if f == fold], 0) for fold in folds]
        return np.asarray(np.mean(by_fold, axis=0))

    def samples(self, runs: Runs, statistic: Statistic) -> NDArray[np.float64]:
        """Return the statistic on every resample, averaged over draws and folds, shape (B, ...)."""
        return self.average({key: self.of_run(run, statistic) for key, run in runs.items()})

    def of_run(self, run: Run, statistic: Statistic) -> NDArray[np.float64]:
        """Return the statistic of one Run on every resample of the lesions, shape (B, ...)."""
        return statistic(run.test.label, run.probabilities, self._weights[run.key.fold])

    def average(self, values: Mapping[tuple[int, int], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Average samples by (fold, draw) over resampled draws, then over folds, shape (B, ...)."""
        by_fold = []
        for fold in sorted({fold for fold, _ in values}):
            mine = np.stack([values[key] for key in sorted(values) if key[0] == fold])
            picks = self._draws(fold, len(mine))
            by_fold.append(mine[picks, np.arange(self._resamples)[:, None]].mean(axis=1))
        return np.asarray(np.mean(by_fold, axis=0))

    def _draws(self, fold: int, count: int) -> NDArray[np.intp]:
        """Return the draws of each resample, shape (B, count)."""
        generator = np.random.default_rng(stable_seed("draws", self._seed, fold, count))
        return generator.integers(0, count, (self._resamples, count))


def estimate(point: float, samples: NDArray[np.float64]) -> Estimate:
    """Return the point with the 95% percentile interval of its resamples."""
    low, high = interval(samples)
    return Estimate(float(point), float(low), float(high))
