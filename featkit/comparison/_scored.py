"""One metric of many Runs on the same resamples, computed once a Run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featkit.comparison._resampling import Resampling, Runs, estimate
from featkit.comparison.comparison import Estimate
from featkit.evaluate import Difference, Metric, paired_difference
from featkit.runs import Run

__all__ = ["Scored", "in_common"]


class Scored:
    """Scores of Runs; a Run that is part of several comparisons is scored once.

    Args:
        metric: The score.
        resampling: The resamples, shared by all Runs.
    """

    def __init__(self, metric: Metric, resampling: Resampling) -> None:
        self.metric = metric
        self._resampling = resampling
        self._known: dict[str, NDArray[np.float64]] = {}

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.metric.higher_is_better else -1

    def point(self, runs: Runs) -> float:
        """Return the score on the whole test set, averaged over draws and folds."""
        return float(self._resampling.point(runs, self.metric))

    def samples(self, runs: Runs) -> NDArray[np.float64]:
        """Return the score on every resample, averaged over draws and folds, shape (B,)."""
        return self._resampling.average({key: self._of_run(run) for key, run in runs.items()})

    def estimate(self, runs: Runs) -> Estimate:
        """Return the score with its interval."""
        return estimate(self.point(runs), self.samples(runs))

    def difference(self, first: Runs, second: Runs) -> Difference:
        """Return the first's score minus the second's, on the Runs that both have."""
        mine, other = in_common(first, second)
        point = self.point(mine) - self.point(other)
        return paired_difference(self.samples(mine), self.samples(other), point)

    def _of_run(self, run: Run) -> NDArray[np.float64]:
        digest = run.key.digest
        if digest not in self._known:
            self._known[digest] = self._resampling.of_run(run, self.metric)
        return self._known[digest]


def in_common(first: Runs, second: Runs) -> tuple[Runs, Runs]:
    """Return both methods' Runs of the folds and draws that both have."""
    shared = sorted(first.keys() & second.keys())
    return {key: first[key] for key in shared}, {key: second[key] for key in shared}
