"""Evidence: Runs, what `compare` found in them, and the resamples that both stand on."""

from __future__ import annotations

from functools import cached_property

from featkit.comparison._resampling import Resampling
from featkit.comparison._scored import Scored
from featkit.comparison.comparison import Comparison
from featkit.comparison.gathering import Grid
from featkit.evaluate import METRICS, Metric

__all__ = ["Evidence"]


class Evidence:
    """What all analyses of one comparison share, so that numbers given twice agree.

    Scores of Runs on the resamples are computed once, by whichever analysis asks first.

    Args:
        grid: The Runs.
        comparison: What `compare` found in them.
    """

    def __init__(self, grid: Grid, comparison: Comparison) -> None:
        self.grid = grid
        self.comparison = comparison

    @property
    def metric(self) -> Metric:
        """The metric of the comparison."""
        return METRICS[self.comparison.metric]

    @cached_property
    def resampling(self) -> Resampling:
        """The resamples of the comparison's intervals."""
        return self._resampling(self.comparison.resamples)

    @cached_property
    def scored(self) -> Scored:
        """Scores on the resamples of the comparison's intervals."""
        return Scored(self.metric, self.resampling)

    @cached_property
    def contrasted(self) -> Scored:
        """Scores on the resamples of the comparison's differences.

        They are enough for Holm's correction over any family of contrasts with one row of each
        backbone: there are no more of these than differences from the comparison's reference.
        """
        if self.comparison.resamples_differences == self.comparison.resamples:
            return self.scored
        return Scored(self.metric, self._resampling(self.comparison.resamples_differences))

    def _resampling(self, resamples: int) -> Resampling:
        return Resampling(self.grid.tests, resamples=resamples, seed=self.comparison.seed)
