"""Writing the feature file from finished parts, one part in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from featkit.data.dataset import Dataset
from featkit.features._hdf5 import encode_text, writing
from featkit.features._layout import chunk_rows, column_key, write_attributes
from featkit.features._parts import Part
from featkit.files import atomic_path

__all__ = ["write_store"]


def write_store(
    path: Path,
    *,
    dataset: Dataset,
    parts: Iterable[Part],
    shape: tuple[int, int, int],
    dtype: np.dtype[np.floating],
    attributes: Mapping[str, Any],
    trained_on: Sequence[str] = (),
) -> None:
    """Write the whole feature file; `path` appears, or is replaced, at the end.

    Args:
        path: The file.
        dataset: Its ids, labels, groups and metadata.
        parts: The results of all rows, in order.
        shape: N, V, D.
        dtype: float16 or float32.
        attributes: The file's attributes.
        trained_on: Images that the backbone was fine-tuned on (see `Backbone`).

    Raises:
        StoreError: The disk is full, or the folder cannot be written.
    """
    with atomic_path(path) as temporary, writing(temporary) as (file, check):
        write_attributes(file, attributes)
        reasons, hashes = [], []
        features = _features(file, shape, dtype)
        row = 0
        for part in parts:
            count = len(part.features)
            features[row : row + count] = part.features.reshape(count, *features.shape[1:])
            check()
            row += count
            hashes.append(part.pixel_hash)
            reasons.append(part.reason)
        reason = np.concatenate(reasons)
        _columns(file, dataset, np.concatenate(hashes), reason)
        if trained_on:
            _text(file, "trained_on", trained_on)
        failed = reason != ""
        failures = file.create_group("failures")
        _text(failures, "image_id", dataset.image_id[failed])
        _text(failures, "reason", reason[failed])


def _features(
    file: h5py.File, shape: tuple[int, int, int], dtype: np.dtype[np.floating]
) -> h5py.Dataset:
    rows, views, dimension = shape
    inner = (views, dimension) if views > 1 else (dimension,)
    chunk = chunk_rows(rows, views * dimension * dtype.itemsize)
    return file.create_dataset(
        "features",
        shape=(rows, *inner),
        dtype=dtype,
        chunks=(chunk, *inner),
        fillvalue=np.nan,
        fletcher32=True,
    )


def _columns(
    file: h5py.File,
    dataset: Dataset,
    pixel_hash: NDArray[np.str_],
    reason: NDArray[np.str_],
) -> None:
    _text(file, "image_id", dataset.image_id)
    _text(file, "group", dataset.group)
    _text(file, "pixel_hash", pixel_hash)
    for name, values in {"label": dataset.label, "done": (reason == "").astype(np.uint8)}.items():
        file.create_dataset(name, data=values, chunks=True, fletcher32=True)
    if dataset.split is not None:
        _text(file, "split", dataset.split)
    metadata = file.create_group("metadata", track_order=True)
    for name, column in dataset.metadata.items():
        _text(metadata, column_key(name), column)


def _text(group: h5py.Group, name: str, values: Sequence[str] | NDArray[np.str_]) -> None:
    encoded = encode_text(values)
    # Without rows there are no chunks, and nothing to compress or check.
    options = {"chunks": True, "fletcher32": True, "compression": "gzip"} if len(encoded) else {}
    group.create_dataset(name, data=encoded, **options)
