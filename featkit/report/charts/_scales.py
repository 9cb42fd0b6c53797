"""Scales: from data to coordinates, with ticks that people would choose."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Scale", "enclosing", "even_ticks", "extent", "thinned"]


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic way from data to one coordinate.

    Attributes:
        low: Smallest value, above 0 on a logarithmic scale.
        high: Largest value.
        start: Coordinate of `low`.
        end: Coordinate of `high`.
        log: Whether equal ratios are equally long.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the coordinate; the middle where all values are one."""
        low, high, value = (
            (math.log(self.low), math.log(self.high), math.log(value))
            if self.log
            else (self.low, self.high, value)
        )
        share = (value - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)


def extent(values: Iterable[float], *, fallback: tuple[float, float]) -> tuple[float, float]:
    """Return the smallest and the largest finite value, `fallback` where there is none."""
    finite = [value for value in values if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else fallback


def even_ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Return round values at equal steps that enclose `low` to `high`; at least two."""
    span = max(high - low, 1e-9)
    rough = span / about
    power: float = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return [round(index * step, 12) for index in range(first, last + 1)]


def enclosing(choices: Sequence[float], values: Sequence[float]) -> list[float]:
    """Return the ascending choices that enclose all values, as far as there are any; two or more.

    Args:
        choices: At least two.
        values: At least one.
    """
    first = max(0, sum(choice <= min(values) for choice in choices) - 1)
    last = min(len(choices), sum(choice < max(values) for choice in choices) + 1)
    first = min(first, len(choices) - 2)
    return list(choices[first : max(last, first + 2)])


def thinned(places: Sequence[float], *, gap: float) -> list[int]:
    """Return which of the ascending coordinates can carry a label without touching.

    The last one always does; the others are taken from the right.
    """
    kept: list[int] = []
    for index in range(len(places) - 1, -1, -1):
        if not kept or places[kept[-1]] - places[index] >= gap:
            kept.append(index)
    return kept[::-1]
