"""What a Run costs somebody who starts from images."""

from __future__ import annotations

from collections import defaultdict

from featkit.comparison.gathering import Grid
from featkit.runs import Run

__all__ = ["Costs"]


class Costs:
    """Device seconds of Runs, with those of the frozen features that they were trained on.

    Features are extracted once for all Runs on them. So there are two fair prices: that of the
    Run as the only one, which pays for all its training images' features, and that of the Run as
    one of the grid's, in which all Runs on the same features pay for one extraction together, each
    in proportion to its images.

    Args:
        grid: The Runs that share features.
    """

    def __init__(self, grid: Grid) -> None:
        seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
        for runs in grid.cells.values():
            for run in runs.values():
                seconds[_features(run)].append(run.cost.features_s)
        # The largest share is of the largest training set, the other Runs' images among its own.
        self._paid = {key: max(all_s) / (sum(all_s) or 1.0) for key, all_s in seconds.items()}

    @staticmethod
    def alone(run: Run) -> float:
        """Return the device seconds of a Run that has the features for itself."""
        return run.cost.device_s + run.cost.features_s

    def shared(self, run: Run) -> float:
        """Return the device seconds of a Run that shares the features with the grid's others."""
        return run.cost.device_s + run.cost.features_s * self._paid[_features(run)]


def _features(run: Run) -> tuple[str, str]:
    return run.key.backbone, run.key.source
