"""Writing the feature file and its shards from finished parts, one part in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from featkit.data.dataset import Dataset
from featkit.features._datasets import CHECKED, Ledger, create_features, join_features, write_text
from featkit.features._hdf5 import writing
from featkit.features._layout import column_key, write_attributes
from featkit.features._parts import Part
from featkit.features._shards import ShardLedger, Shards
from featkit.files import atomic_path

__all__ = ["StoreFile", "write_shard"]


@dataclass(frozen=True, eq=False)
class StoreFile:
    """A feature file to be written; `path` appears, or is replaced, at the end.

    Attributes:
        path: The file.
        dataset: Its ids, labels, groups and metadata.
        shape: N, V, D.
        dtype: float16 or float32.
        attributes: The file's attributes.
        trained_on: Images that the backbone was fine-tuned on (see `Backbone`).
    """

    path: Path
    dataset: Dataset
    shape: tuple[int, int, int]
    dtype: np.dtype[np.floating]
    attributes: Mapping[str, Any]
    trained_on: Sequence[str] = ()

    def write(self, parts: Iterable[Part]) -> None:
        """Write the file with its features.

        Args:
            parts: The results of all rows, in order.

        Raises:
            StoreError: The disk is full, or the folder cannot be written.
        """
        with self._begun(self.attributes) as (file, ledger, check):
            features = create_features(file, self.shape, self.dtype)
            for part in parts:
                rows = ledger.add(part.image_hash, part.reason)
                features[rows.start : rows.stop] = _stored(part, features)
                check()

    def join(self, shards: Shards, ledgers: Iterable[ShardLedger]) -> None:
        """Write the file over features that stay in shards.

        Args:
            shards: Hold the features.
            ledgers: Of each shard, in order.

        Raises:
            StoreError: The disk is full, or the folder cannot be written.
        """
        with self._begun({**self.attributes, "shards": shards.to_dict()}) as (file, ledger, check):
            join_features(file, shards, self.shape, self.dtype)
            for each in ledgers:
                ledger.add(each.image_hash, each.reason)
                check()

    @contextmanager
    def _begun(
        self, attributes: Mapping[str, Any]
    ) -> Iterator[tuple[h5py.File, Ledger, Callable[[], None]]]:
        """Give the file, what takes each row's fate, and a check; then write the columns."""
        with atomic_path(self.path) as temporary, writing(temporary) as (file, check):
            write_attributes(file, attributes)
            ledger = Ledger(file, self.shape[0])
            yield file, ledger, check
            _columns(file, self.dataset, self.trained_on)
            ledger.close(self.dataset.image_id)


def write_shard(
    path: Path,
    *,
    parts: Iterable[Part],
    shape: tuple[int, int, int],
    dtype: np.dtype[np.floating],
    marks: Mapping[str, object],
) -> None:
    """Write a shard: its features, what happened to each row, and what it took.

    Args:
        path: The file.
        parts: The results of its rows, in order.
        shape: n, V, D.
        dtype: float16 or float32.
        marks: Attributes by which it is known.

    Raises:
        StoreError: The disk is full, or the folder cannot be written.
    """
    with atomic_path(path) as temporary, writing(temporary) as (file, check):
        features = create_features(file, shape, dtype)
        file.attrs.update(marks)
        hashes, reasons, spent, row = [], [], [], 0
        for part in parts:
            features[row : row + len(part.features)] = _stored(part, features)
            check()
            row += len(part.features)
            hashes.append(part.image_hash)
            reasons.append(part.reason)
            spent.append(part.spent)
        write_text(file, "image_hash", np.concatenate(hashes))
        write_text(file, "reason", np.concatenate(reasons))
        file.create_dataset("spent", data=np.array(spent), **CHECKED)


def _stored(part: Part, features: h5py.Dataset) -> NDArray[np.floating]:
    """Return a part's features (n, V, D) in the shape of the file's."""
    return part.features.reshape(len(part.features), *features.shape[1:])


def _columns(file: h5py.File, dataset: Dataset, trained_on: Sequence[str]) -> None:
    write_text(file, "image_id", dataset.image_id)
    write_text(file, "group", dataset.group)
    file.create_dataset("label", data=dataset.label, **CHECKED)
    if dataset.split is not None:
        write_text(file, "split", dataset.split)
    metadata = file.create_group("metadata", track_order=True)
    for name, column in dataset.metadata.items():
        write_text(metadata, column_key(name), column)
    if trained_on:
        write_text(file, "trained_on", trained_on)
