"""From a column of metadata to a few levels that images are grouped by."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNKNOWN", "levels_of"]

UNKNOWN = "unknown"
_UNKNOWN_WORDS = {"", "unknown", "nan", "na", "n/a", "none", "null"}
_MOST = 15
"""Text levels that a table shows; rarer ones are joined."""
_MANY = 100
_YEARS = 20


def levels_of(name: str, values: Sequence[str]) -> list[str] | None:
    """Return the level of each image, or None where the column groups nothing.

    Ages are cut into bands of 20 years, other numbers at their quartiles; of texts the 14 commonest
    stay and the others are joined. Columns with one value, or with names of things rather than
    kinds, group nothing.

    Args:
        name: Of the column.
        values: One for each image; empty and "unknown" are unknown.
    """
    texts = [UNKNOWN if text.strip().casefold() in _UNKNOWN_WORDS else text for text in values]
    known = [text for text in texts if text != UNKNOWN]
    numbers = _numbers(known)
    if numbers is not None and _is_age(name):
        levels = _by_name(texts, {text: _band(float(text)) for text in known})
    elif numbers is not None and len(set(known)) > _MOST:
        levels = _by_name(texts, _quartiles(known, numbers))
    elif len(set(known)) > min(_MANY, max(_MOST, len(known) // 2)):
        return None
    else:
        levels = _by_name(texts, _commonest(known))
    return levels if len(set(levels) - {UNKNOWN}) > 1 else None


def _is_age(name: str) -> bool:
    return "age" in name.casefold().replace("-", "_").split("_")


def _numbers(texts: Sequence[str]) -> NDArray[np.float64] | None:
    try:
        numbers = np.array([float(text) for text in texts])
    except ValueError:
        return None
    return numbers if len(numbers) and np.all(np.isfinite(numbers)) else None


def _by_name(texts: Sequence[str], names: dict[str, str]) -> list[str]:
    return [names.get(text, UNKNOWN) for text in texts]


def _band(age: float) -> str:
    start = _YEARS * math.floor(age / _YEARS)
    return f"{start}–{start + _YEARS - 1}"


def _quartiles(texts: Sequence[str], numbers: NDArray[np.float64]) -> dict[str, str]:
    edges = np.unique(np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1]))
    names = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    places = np.clip(np.searchsorted(edges, numbers, side="left") - 1, 0, len(names) - 1)
    return {text: names[place] for text, place in zip(texts, places, strict=True)}


def _commonest(texts: Sequence[str]) -> dict[str, str]:
    counts = Counter(texts)
    if len(counts) <= _MOST:
        return {text: text for text in counts}
    first = sorted(counts, key=lambda text: (-counts[text], text))[: _MOST - 1]
    joined = f"other ({len(counts) - len(first)} levels)"
    return {text: text if text in first else joined for text in counts}
