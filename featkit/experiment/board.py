"""The running score that a sweep shows while it works."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from featkit.evaluate import METRICS
from featkit.progress import Progress
from featkit.runs import Run

__all__ = ["Board", "Score", "score_of"]


@dataclass(frozen=True)
class Score:
    """What is shown of a finished Run."""

    name: str
    budget: float
    balanced_accuracy: float


def score_of(run: Run) -> Score:
    """Return what is shown of a Run."""
    value = METRICS["balanced_accuracy"](run.test.label, run.probabilities)
    return Score(run.name, run.key.budget, float(value[0]))


class Board:
    """The mean balanced accuracy of each method and budget so far.

    Args:
        listener: Told of every finished Run.
    """

    def __init__(self, listener: Progress) -> None:
        self._listener = listener
        self._scores: dict[tuple[str, float], list[float]] = defaultdict(list)
        self.shown = 0

    def start(self, task: str, *, to_come: int) -> None:
        """Announce how many Runs are to come beside those that were there."""
        total = to_come + self.shown
        self._listener.start(task, total=total, done=self.shown, unit="runs")

    def finish(self) -> None:
        """Say that all is done."""
        self._listener.finish()

    def add(self, score: Score) -> float:
        """Take in a Run that was there already, and return its cell's mean."""
        scores = self._scores[score.name, score.budget]
        scores.append(score.balanced_accuracy)
        self.shown += 1
        return sum(scores) / len(scores)

    def show(self, score: Score) -> None:
        """Take in a Run that was made now, and show its cell's mean."""
        mean = self.add(score)
        note = f"{score.name} at {score.budget:g}%: balanced accuracy {mean:.3f}"
        self._listener.advance(1, note=note)
