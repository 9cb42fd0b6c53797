"""Rates: images a second, measured several times."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from statistics import median

__all__ = ["Rate", "measured"]

_SECONDS, _PASSES = 3.0, 3
"""A measurement takes at least so long, and so many passes."""

_LONG = 3
"""So many times as long takes what an expected time rests on."""

_PATIENCE_S = 8.0
"""After so long, fewer passes have to do."""

_PASS_S = 0.5
"""A pass is at least so long."""


@dataclass(frozen=True)
class Rate:
    """Images a second.

    Attributes:
        middle: The median of the passes.
        least: The slowest pass.
        most: The fastest pass.
        passes: How many there were.
    """

    middle: float
    least: float
    most: float
    passes: int

    @classmethod
    def of(cls, rates: list[float]) -> Rate:
        """Return the rate of some passes, one at least."""
        return cls(median(rates), min(rates), max(rates), len(rates))


def measured(stream: Generator[int], *, long: bool = False) -> Rate:
    """Return how fast a stream works.

    Args:
        stream: Yields, without end, how many images were just done. It is closed.
        long: Measure longer.
    """
    enough = _SECONDS * (_LONG if long else 1)
    with closing(stream):
        next(stream)  # begins, and waits for threads and memory
        start = time.perf_counter()
        rates: list[float] = []
        seconds = 0.0
        while seconds < (_PATIENCE_S if len(rates) < _PASSES else enough):
            rates.append(_pass(stream))
            seconds = time.perf_counter() - start
    return Rate.of(rates)


def _pass(stream: Generator[int]) -> float:
    start, done, seconds = time.perf_counter(), 0, 0.0
    while seconds < _PASS_S:
        done += next(stream)
        seconds = time.perf_counter() - start
    return done / seconds
