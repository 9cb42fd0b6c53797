"""External validation: another data set's features as the test set of heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.errors import StoreError
from featkit.experiment import ImageTable, external_test
from featkit.features import FeatureStore
from featkit.runs import TestSet
from featkit.sweep._tables import Table, image_table
from featkit.sweep._views import read_views, require_views

__all__ = ["External", "external_of"]


@dataclass(frozen=True, eq=False)
class External:
    """An external test set.

    Attributes:
        store: Its features, by the same backbone as the training set's.
        rows: The store's usable rows.
        test: What Runs carry of them.
    """

    store: FeatureStore
    rows: NDArray[np.intp]
    test: TestSet

    @property
    def images(self) -> ImageTable:
        """What is known of the usable rows."""
        return image_table(self.store).select(self.rows)

    def features(self, views: int) -> NDArray[np.float32]:
        """Return the first views of the usable rows, shape (n, views, D)."""
        return read_views(self.store, self.rows, views)


def external_of(table: Table, index: int, tests: Sequence[FeatureStore], *, views: int) -> External:
    """Return the external test set for the table's store `index`, in the table's classes.

    Args:
        table: The training images' stores.
        index: One of them.
        tests: The test images' stores, one for each backbone.
        views: How many views predictions are averaged over.

    Raises:
        StoreError: No test file is of this backbone, or several are; it holds fewer views.
        DataError: The test set does not fit the training set (see `external_test`).
    """
    store = table.stores[index]
    partner = _partner(store, tests)
    require_views(partner, views)
    rows, test = external_test(
        image_table(store),
        image_table(partner),
        partner.done,
        classes=table.images.classes,
        name=partner.dataset_name,
    )
    return External(partner, rows, test)


def _partner(store: FeatureStore, tests: Sequence[FeatureStore]) -> FeatureStore:
    """Return the one test store that was made by the same backbone as `store`.

    Raises:
        StoreError: There is none, or more than one.
    """
    found = [test for test in tests if test.backbone_fingerprint == store.backbone_fingerprint]
    if len(found) != 1:
        given = ", ".join(test.backbone_name for test in tests)
        cause = f"the test files are of {given}" if not found else f"{len(found)} test files are"
        raise StoreError(
            f"{'no' if not found else 'more than one'} --test file is of {store.backbone_name}",
            cause=cause,
            remedy="Extract the test images once with the same --backbone and options",
        )
    return found[0]
