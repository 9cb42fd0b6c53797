"""One statistic of some Runs: on the test set and on its resamples, each computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from featkit.comparison._resampling import Resampling, Runs, Statistic, estimate
from featkit.comparison.comparison import Estimate
from featkit.runs import Run, TestSet

__all__ = ["Part", "Values"]


class Values:
    """A statistic of some Runs; an index picks one class of a statistic by class.

    Args:
        resampling: Resamples of the Runs' test sets.
        runs: By (fold, draw).
        statistic: A metric, or a statistic by class.
    """

    def __init__(self, resampling: Resampling, runs: Runs, statistic: Statistic) -> None:
        self._point = np.atleast_1d(resampling.point(runs, statistic))
        samples = resampling.samples(runs, statistic)
        self._samples = samples.reshape(len(samples), -1)

    def estimate(self, index: int = 0) -> Estimate:
        """Return the value with its interval."""
        return estimate(float(self._point[index]), self._samples[:, index])

    def minus(self, other: Values, index: int = 0) -> Estimate:
        """Return the difference with its interval.

        It is paired where both have the same resamples of the same lesions; resamples of other
        lesions are independent of each other.
        """
        samples = self._samples[:, index] - other._samples[:, index]
        return estimate(float(self._point[index] - other._point[index]), samples)


class Part:
    """A part of the test images of each fold.

    Args:
        tests: The test set of each fold.
        keep: Which of its images belong to the part, by fold.
        resamples: B.
        seed: Decides the resamples.
    """

    def __init__(
        self,
        tests: Mapping[int, TestSet],
        keep: Mapping[int, NDArray[np.bool_]],
        *,
        resamples: int,
        seed: int,
    ) -> None:
        self._keep = keep
        kept = {fold: _subset(test, keep[fold]) for fold, test in tests.items()}
        self._resampling = Resampling(kept, resamples=resamples, seed=seed)

    @property
    def is_empty(self) -> bool:
        """Whether a fold has no image in it."""
        return not all(keep.any() for keep in self._keep.values())

    def values(self, runs: Runs, statistic: Statistic) -> Values:
        """Return a statistic of the Runs on this part of their test sets."""
        mine = {key: self._restricted(run) for key, run in runs.items()}
        return Values(self._resampling, mine, statistic)

    def _restricted(self, run: Run) -> Run:
        keep = self._keep[run.key.fold]
        return replace(
            run, test=_subset(run.test, keep), probabilities=run.probabilities[keep], held_out=None
        )


def _subset(test: TestSet, keep: NDArray[np.bool_]) -> TestSet:
    return TestSet(test.name, test.image_id[keep], test.group[keep], test.label[keep])
