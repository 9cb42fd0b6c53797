"""Meter: progress over all Runs, counted in images that training sees."""

from __future__ import annotations

from featkit.experiment import score_of
from featkit.progress import Progress
from featkit.runs import Run

__all__ = ["Meter"]


class Meter:
    """Shows which Run is trained, and how the last one did.

    Args:
        listener: Told of images seen.
    """

    def __init__(self, listener: Progress) -> None:
        self._listener = listener
        self._runs = self._done = 0
        self._now = self._last = ""

    def start(self, images: int, *, runs: int) -> None:
        """Announce the work: images that all Runs see unless they end early."""
        self._runs = runs
        self._listener.start("finetune", total=images, done=0, unit="images")

    def begin(self, name: str) -> None:
        """Name the Run that is trained from now on."""
        self._now = f"run {self._done + 1} of {self._runs}: {name}"
        self.seen(0)

    def seen(self, images: int) -> None:
        """Count images, also those that an early end spares."""
        self._listener.advance(images, note=self._now + self._last)

    def end(self, run: Run) -> None:
        """Show the score of the Run that is done."""
        score = score_of(run)
        self._done += 1
        self._last = f"; the last one: balanced accuracy {score.balanced_accuracy:.3f}"

    def diverged(self) -> None:
        """Say that the Run has no score."""
        self._done += 1
        self._last = "; the last one diverged"

    def finish(self) -> None:
        """Say that all is done."""
        self._listener.finish()
