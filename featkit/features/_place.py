"""Where the features of a store lie, in its own file or in shards, and reading them from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from featkit.features._hdf5 import damaged, reading
from featkit.features._shards import Shards

__all__ = ["BLOCK", "Place"]

BLOCK = 1024
"""Rows that are read at once."""


@dataclass(frozen=True)
class Place:
    """The features (N, V, D) of a store.

    Shards are opened one by one, not through the virtual data set that joins them for other
    programs: that would give fill values where one is missing.

    Attributes:
        path: The store's file.
        name: The features' name inside the file.
        shape: N, V, D.
        shards: Where they lie, if not in the file itself.
    """

    path: Path
    name: str
    shape: tuple[int, int, int]
    shards: Shards | None

    def rows(self, wanted: NDArray[np.intp]) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Yield the features of rows, block by block.

        Args:
            wanted: The rows, ascending.

        Yields:
            Which of `wanted`, and their features (n, V, D) as stored.

        Raises:
            StoreError: The file or a shard is missing, damaged, or not the one that it was.
        """
        for span, opened in self._files():
            first, last = np.searchsorted(wanted, [span.start, span.stop])
            if first == last:
                continue
            with opened() as stored:
                inside = wanted[first:last] - span.start
                for which, values in self._blocks(stored, inside):
                    yield slice(first + which.start, first + which.stop), values

    def files(self) -> Iterator[AbstractContextManager[h5py.File]]:
        """Yield what opens each of the store's files."""
        yield reading(self.path)
        if self.shards is not None:
            yield from map(self.shards.opened, range(self.shards.count))

    def bytes(self) -> int:
        """Return the size of all its files."""
        paths = [self.path]
        if self.shards is not None:
            paths += map(self.shards.path, range(self.shards.count))
        return sum(path.stat().st_size for path in paths)

    def _blocks(
        self, stored: h5py.Dataset, wanted: NDArray[np.intp]
    ) -> Iterator[tuple[slice, NDArray[Any]]]:
        numbers = wanted // BLOCK
        for block in np.unique(numbers).tolist():
            first, last = np.searchsorted(numbers, [block, block + 1])
            start = block * BLOCK
            values = stored[start : start + BLOCK].reshape(-1, *self.shape[1:])
            yield slice(first, last), values[wanted[first:last] - start]

    def _files(self) -> Iterator[tuple[range, Callable[[], AbstractContextManager[h5py.Dataset]]]]:
        """Yield the rows of each file, and what opens its features."""
        if self.shards is None:
            yield range(self.shape[0]), self._plain
            return
        for index in range(self.shards.count):
            yield self.shards.span(index), partial(self._shard, self.shards, index)

    @contextmanager
    def _plain(self) -> Iterator[h5py.Dataset]:
        with reading(self.path) as file:
            stored = file[self.name]
            if (stored.shape[0], stored.shape[-1]) != (self.shape[0], self.shape[-1]):
                raise damaged(self.path, "it has changed since it was opened")
            yield stored

    @contextmanager
    def _shard(self, shards: Shards, index: int) -> Iterator[h5py.Dataset]:
        with shards.opened(index) as file:
            stored = file["features"]
            if stored.size != len(shards.span(index)) * self.shape[1] * self.shape[2]:
                raise damaged(shards.path(index), "its features are of another shape")
            yield stored
