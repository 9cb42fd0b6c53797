"""A progress listener that remembers when images were done."""

from __future__ import annotations

import time

__all__ = ["Seen"]


class Seen:
    """Remembers when the first images were done, and the last.

    Attributes:
        last: When the last images were done, by `time.perf_counter`.
    """

    def __init__(self) -> None:
        self.last = 0.0
        self._first = self._since = 0.0

    def start(self, task: str, *, total: float, done: float = 0, unit: str = "") -> None:
        """Do nothing."""

    def advance(self, amount: float, *, note: str = "") -> None:
        """Remember the time."""
        self.last = time.perf_counter()
        if self._first:
            self._since += amount
        else:
            self._first = self.last

    def finish(self) -> None:
        """Do nothing."""

    def rate(self) -> float | None:
        """Return images a second between the first ones and the last."""
        return self._since / (self.last - self._first) if self._since else None
