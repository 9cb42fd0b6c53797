"""A progress listener that remembers when images were done."""

from __future__ import annotations

import time
from itertools import accumulate

__all__ = ["Seen"]


class Seen:
    """Remembers when images were done, by `time.perf_counter`."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._amounts: list[float] = []

    def start(self, task: str, *, total: float, done: float = 0, unit: str = "") -> None:
        """Do nothing."""

    def advance(self, amount: float, *, note: str = "") -> None:
        """Remember the time."""
        self._times.append(time.perf_counter())
        self._amounts.append(amount)

    def finish(self) -> None:
        """Do nothing."""

    @property
    def last(self) -> float:
        """When the last images were done."""
        return self._times[-1]

    def rate(self) -> float | None:
        """Return images a second from the first quarter to the last, None where they are too few.

        So neither what is decoded ahead at the beginning nor that it is missing at the end counts.
        """
        done = list(accumulate(self._amounts))
        middle = [i for i, some in enumerate(done) if done[-1] / 4 <= some <= 3 * done[-1] / 4]
        if len(middle) < 2:
            return None
        first, last = middle[0], middle[-1]
        return (done[last] - done[first]) / (self._times[last] - self._times[first])
