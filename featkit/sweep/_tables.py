"""FeatureStores side by side: one data set, row by row, seen through several backbones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.errors import StoreError, UsageError
from featkit.experiment import ImageTable
from featkit.features import FeatureStore
from featkit.sweep._views import read_views

__all__ = ["Table", "image_table", "read_table"]


@dataclass(frozen=True, eq=False)
class Table:
    """The rows that every store has, without the classes that take no part.

    Attributes:
        stores: One for each backbone.
        rows: Rows of the stores with a label and features in all of them, shape (n,).
        images: What is known of these rows.
    """

    stores: tuple[FeatureStore, ...]
    rows: NDArray[np.intp]
    images: ImageTable

    def features(self, index: int, views: int) -> NDArray[np.float32]:
        """Return the first views of one store, shape (n, views, D)."""
        return read_views(self.stores[index], self.rows, views)


def image_table(store: FeatureStore) -> ImageTable:
    """Return what a store knows of its images."""
    return ImageTable(
        name=str(store.path),
        image_id=store.image_id,
        label=store.label,
        group=store.group,
        image_hash=store.image_hash,
        classes=store.classes,
        official=store.split,
        metadata=store.metadata,
    )


def read_table(stores: Sequence[FeatureStore], *, exclude_classes: Sequence[str] = ()) -> Table:
    """Check that the stores hold the same images, and return their common rows.

    Raises:
        StoreError: The stores are of different data sets.
        DataError: No row is labelled and done in all.
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
    done = np.logical_and.reduce([store.done for store in stores])
    rows, images = image_table(first).participants(done, exclude=exclude_classes)
    return Table(tuple(stores), rows, images)


def _same_images(first: FeatureStore, other: FeatureStore) -> None:
    differences = {
        "images": not np.array_equal(first.image_id, other.image_id),
        "labels": not np.array_equal(first.label, other.label),
        "groups": not np.array_equal(first.group, other.group),
        "classes": first.classes != other.classes,
        "hashes of images": _known_otherwise(first.image_hash, other.image_hash),
    }
    found = [name for name, differs in differences.items() if differs]
    if found:
        raise StoreError(
            f"{first.path} and {other.path} cannot be compared",
            cause=f"their {' and '.join(found)} differ",
            remedy="Extract both from the same DATA with the same --limit and --decoder",
        )


def _known_otherwise(first: NDArray[np.str_], other: NDArray[np.str_]) -> bool:
    """Tell whether images are known again by something else: pixels there, files here."""
    comparable = first.shape == other.shape
    return comparable and bool(((first != other) & (first != "") & (other != "")).any())
