"""FeatureStores side by side: one data set, row by row, seen through several backbones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.errors import StoreError, UsageError
from featkit.features import FeatureStore

__all__ = ["Table", "read_table"]


@dataclass(frozen=True, eq=False)
class Table:
    """The rows that every store has, without the classes that take no part.

    Attributes:
        stores: One for each backbone.
        classes: The classes that take part.
        rows: Rows of the stores with a label and features in all of them, shape (n,).
        label: Index into `classes`, shape (n,), int16.
    """

    stores: tuple[FeatureStore, ...]
    classes: tuple[str, ...]
    rows: NDArray[np.intp]
    label: NDArray[np.int16]

    def column(self, values: NDArray[np.str_]) -> NDArray[np.str_]:
        """Return the table's rows of a store's column."""
        return values[self.rows]

    def features(self, index: int) -> NDArray[np.float32]:
        """Return the features of one store, shape (n, D)."""
        return self.stores[index].numpy(rows=self.rows)


def read_table(stores: Sequence[FeatureStore], *, exclude_classes: Sequence[str] = ()) -> Table:
    """Check that the stores hold the same images, and return their common rows.

    Raises:
        StoreError: The stores are of different data sets; no row is labelled and done in all.
        UsageError: No store; a class to exclude that is not there; one store twice.
    """
    if not stores:
        raise UsageError(
            "no feature file was given",
            cause="the list is empty",
            remedy="Make one with `featkit extract`",
        )
    first = stores[0]
    seen: dict[str, FeatureStore] = {}
    for store in stores:
        _same_images(first, store)
        twin = seen.setdefault(store.fingerprint, store)
        if twin is not store:
            raise UsageError(
                f"{store.path} and {twin.path} hold the same features",
                cause="one backbone was given twice",
                remedy="Leave one of them out",
            )
    kept = _kept_classes(first, exclude_classes)
    renumber = np.full(len(first.classes) + 1, -1, dtype=np.int16)
    renumber[[first.classes.index(name) for name in kept]] = np.arange(len(kept))
    label = renumber[first.label]  # label -1 reads the last entry, which is -1
    done = np.logical_and.reduce([store.done for store in stores])
    rows = np.flatnonzero(done & (label >= 0))
    if not len(rows):
        raise StoreError(
            f"{first.path} has no row with a label and features",
            cause="the data set was read without labels, or every image failed",
            remedy="See `featkit inspect` for the file, and give the labels to `featkit extract`",
        )
    return Table(tuple(stores), kept, rows, label[rows])


def _same_images(first: FeatureStore, other: FeatureStore) -> None:
    differences = {
        "images": not np.array_equal(first.image_id, other.image_id),
        "labels": not np.array_equal(first.label, other.label),
        "groups": not np.array_equal(first.group, other.group),
        "classes": first.classes != other.classes,
    }
    found = [name for name, differs in differences.items() if differs]
    if found:
        raise StoreError(
            f"{first.path} and {other.path} cannot be compared",
            cause=f"their {' and '.join(found)} differ",
            remedy="Extract both from the same DATA with the same --limit",
        )


def _kept_classes(store: FeatureStore, exclude: Sequence[str]) -> tuple[str, ...]:
    unknown = sorted(set(exclude) - set(store.classes))
    if unknown:
        raise UsageError(
            f"--exclude-class {unknown[0]}",
            cause=f"the classes are {', '.join(store.classes)}",
            remedy="Give one of these names",
        )
    return tuple(name for name in store.classes if name not in exclude)
