"""The data sets of a feature file: checksummed, and written piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import h5py
import numpy as np
from numpy.typing import NDArray

from featkit.features._hdf5 import encode_text
from featkit.features._layout import chunk_rows
from featkit.features._shards import Shards

__all__ = ["CHECKED", "Ledger", "create_features", "join_features", "write_text"]

_HASH_BYTES = 32
"""Hex digits of a hash."""

_BLOCK = 65_536
"""Texts that are encoded at once: as Python's strings they take several times their bytes."""

CHECKED = {"chunks": True, "fletcher32": True}

_PACKED = {**CHECKED, "compression": "gzip"}


def create_features(
    file: h5py.File, shape: tuple[int, int, int], dtype: np.dtype[np.floating]
) -> h5py.Dataset:
    """Create an empty data set for features (N, V, D)."""
    rows, views, dimension = shape
    chunk = chunk_rows(rows, views * dimension * dtype.itemsize)
    return file.create_dataset(
        "features",
        shape=stored_shape(shape),
        dtype=dtype,
        chunks=(chunk, *stored_shape(shape)[1:]),
        fillvalue=np.nan,
        fletcher32=True,
    )


def join_features(
    file: h5py.File, shards: Shards, shape: tuple[int, int, int], dtype: np.dtype[np.floating]
) -> None:
    """Create the data set of features as a view of those in the shards, wherever they are moved."""
    _, *inner = stored_shape(shape)
    layout = h5py.VirtualLayout(shape=stored_shape(shape), dtype=dtype)
    for index in range(shards.count):
        span, path = shards.span(index), shards.path(index)
        name = f"{shards.folder.name}/{path.name}"
        source = h5py.VirtualSource(name, "features", shape=(len(span), *inner))
        layout[span.start : span.stop] = source
    file.create_virtual_dataset("features", layout, fillvalue=np.nan)


def stored_shape(shape: tuple[int, int, int]) -> tuple[int, ...]:
    """Return the shape in the file of features (N, V, D): (N, D) where there is one view."""
    rows, views, dimension = shape
    return (rows, views, dimension) if views > 1 else (rows, dimension)


def write_text(group: h5py.Group, name: str, values: Sequence[str] | NDArray[np.str_]) -> None:
    """Write a column of text."""
    blocks = [encode_text(values[start : start + _BLOCK]) for start in _starts(values)]
    length = max((block.dtype.itemsize for block in blocks), default=1)
    # Without rows there are no chunks, and nothing to compress or check.
    column = group.create_dataset(
        name,
        shape=(len(values),),
        dtype=h5py.string_dtype("utf-8", length),
        **(_PACKED if len(values) else {}),
    )
    for start, block in zip(_starts(values), blocks, strict=True):
        column[start : start + len(block)] = block


def _starts(values: Sequence[str] | NDArray[np.str_]) -> Iterable[int]:
    return range(0, len(values), _BLOCK)


class Ledger:
    """What happened to each row: its hash, whether it is done, why it failed.

    Args:
        file: Gets `image_hash`, `done` and `failures`.
        rows: N.
    """

    def __init__(self, file: h5py.File, rows: int) -> None:
        text = h5py.string_dtype("utf-8", _HASH_BYTES)
        self._file = file
        self._hash = file.create_dataset("image_hash", shape=(rows,), dtype=text, **_PACKED)
        self._done = file.create_dataset("done", shape=(rows,), dtype=np.uint8, **CHECKED)
        self._failed: list[int] = []
        self._reasons: list[str] = []
        self._row = 0

    def add(self, image_hash: NDArray[np.str_], reason: NDArray[np.str_]) -> range:
        """Write the following rows, and return which they are."""
        rows = range(self._row, self._row + len(reason))
        self._hash[rows.start : rows.stop] = encode_text(image_hash)
        self._done[rows.start : rows.stop] = (reason == "").astype(np.uint8)
        failed = np.flatnonzero(reason != "")
        self._failed += (rows.start + failed).tolist()
        self._reasons += reason[failed].tolist()
        self._row = rows.stop
        return rows

    def close(self, image_id: NDArray[np.str_]) -> None:
        """Write the failures, when all rows have been added.

        Args:
            image_id: Of all rows, shape (N,).
        """
        failures = self._file.create_group("failures")
        write_text(failures, "image_id", image_id[self._failed])
        write_text(failures, "reason", self._reasons)
