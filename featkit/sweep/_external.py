"""External validation: another data set's features as the test set, classes matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.errors import StoreError
from featkit.features import FeatureStore
from featkit.runs import TestSet
from featkit.sweep._tables import Table

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

    def features(self) -> NDArray[np.float32]:
        """Return the features of the usable rows."""
        return self.store.numpy(rows=self.rows)


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


def external_of(table: Table, index: int, tests: Sequence[FeatureStore]) -> External:
    """Return the external test set for the table's store `index`, in the table's classes.

    Names are matched without regard to case (HAM10000 writes `mel`, ISIC 2018 `MEL`).

    Raises:
        StoreError: No test file is of this backbone; a class of the test set is unknown to the
            training set; no row is usable; images of the test set are also in the training set.
    """
    test = _partner(table.stores[index], tests)
    known = {name.casefold(): index for index, name in enumerate(table.classes)}
    left_out = {name.casefold() for name in table.stores[0].classes} - set(known)
    used = sorted({int(label) for label in test.label[test.done] if label >= 0})
    names = [test.classes[number] for number in used]
    strange = [name for name in names if name.casefold() not in left_out | set(known)]
    if strange:
        raise StoreError(
            f"{test.path} has classes that {table.stores[0].path} has not",
            cause=f"{', '.join(strange)} against {', '.join(table.classes)}",
            remedy="Rename or leave out these labels in the test set",
        )
    renumber = np.full(len(test.classes) + 1, -1, dtype=np.int16)
    for number in used:
        renumber[number] = known.get(test.classes[number].casefold(), -1)
    label = renumber[test.label]
    rows = np.flatnonzero(test.done & (label >= 0))
    if not len(rows):
        raise StoreError(
            f"{test.path} cannot be tested on",
            cause="no image has both a label and features",
            remedy="Give the ground truth when extracting the test set",
        )
    _refuse_shared_images(table, test, rows)
    chosen = TestSet(test.dataset_name, test.image_id[rows], test.group[rows], label[rows])
    return External(test, rows, chosen)


def _refuse_shared_images(table: Table, test: FeatureStore, rows: NDArray[np.intp]) -> None:
    """Raise where the test set holds images or lesions of the training set.

    Ids that are mere numbers say nothing: every data set may count from 0.
    """
    train = table.stores[0]
    for what, mine, theirs in (
        ("pixels", train.pixel_hash, test.pixel_hash),
        ("image id", train.image_id, test.image_id),
        ("lesion", train.group, test.group),
    ):
        known = {name for name in table.column(mine).tolist() if name and not name.isdigit()}
        shared = [row for row in rows if theirs[row] in known]
        if shared:
            raise StoreError(
                f"{len(shared)} images of {test.path} are also in {train.path}",
                cause=f"the same {what}, {test.image_id[shared[0]]} for one",
                remedy="Test on images that the training set does not hold",
            )
