"""Search for the most similar rows: exact by one product, approximate where there are many."""

from __future__ import annotations

import importlib
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from featkit.errors import UsageError

__all__ = ["Found", "Search", "search_of"]

_EXACT = 200_000
"""Up to so many rows are searched one and all."""

_BLOCK = 1 << 26
"""Similarities held at a time."""

_LINKS, _EFFORT = 32, 256
"""Of the graph: neighbours of each row, and candidates looked at for a query."""


class Found(NamedTuple):
    """The most similar rows of each query, the most similar first."""

    rows: NDArray[np.intp]
    """(n, k)."""
    similarity: NDArray[np.float32]
    """(n, k) cosines, from -1 to 1."""


class Search(Protocol):
    """Finds similar rows among those that it was made of."""

    def nearest(self, queries: NDArray[np.float32], count: int) -> Found:
        """Return the most similar rows.

        Args:
            queries: Unit vectors (n, D).
            count: k, at most the number of rows.
        """


def search_of(rows: NDArray[np.float32]) -> Search:
    """Return a search among unit vectors (N, D): exact, or approximate above 200,000.

    Raises:
        UsageError: There are so many, and usearch is not installed.
    """
    return _Exact(rows) if len(rows) <= _EXACT else _Graph(rows)


class _Exact:
    """Compares with every row."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        self._rows = rows

    def nearest(self, queries: NDArray[np.float32], count: int) -> Found:
        step = max(1, _BLOCK // len(self._rows))
        blocks = [self._of(queries[i : i + step], count) for i in range(0, len(queries), step)]
        rows, similarity = zip(*blocks, strict=True)
        return Found(np.concatenate(rows), np.concatenate(similarity))

    def _of(self, queries: NDArray[np.float32], count: int) -> Found:
        similarity = queries @ self._rows.T
        some = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(similarity, some, axis=1), axis=1, kind="stable")
        rows = np.take_along_axis(some, order, axis=1)
        return Found(rows, np.take_along_axis(similarity, rows, axis=1))


class _Graph:
    """A graph of neighbours (HNSW, Malkov and Yashunin 2018), built by usearch at the first use."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        try:
            index = importlib.import_module("usearch.index")
        except ImportError as error:
            raise UsageError(
                f"the nearest of {len(rows):,} training cases",
                cause="so many are searched by usearch, which is not installed",
                remedy="Install it: pip install 'featkit[search]'",
            ) from error
        self._index = index.Index(
            ndim=rows.shape[1],
            metric="ip",
            dtype="f16",
            connectivity=_LINKS,
            expansion_add=_EFFORT,
            expansion_search=_EFFORT,
        )
        self._index.add(np.arange(len(rows)), rows)

    def nearest(self, queries: NDArray[np.float32], count: int) -> Found:
        matches = self._index.search(queries, count)
        rows = np.atleast_2d(matches.keys).astype(np.intp)
        return Found(rows, 1 - np.atleast_2d(matches.distances).astype(np.float32))
