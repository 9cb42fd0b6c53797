"""External validation: another data set as the test set, its classes matched by name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featkit.errors import DataError
from featkit.experiment.table import ImageTable
from featkit.naming import counted
from featkit.runs import TestSet

__all__ = ["external_test"]


def external_test(
    train: ImageTable,
    test: ImageTable,
    readable: NDArray[np.bool_],
    *,
    classes: tuple[str, ...],
    name: str,
) -> tuple[NDArray[np.intp], TestSet]:
    """Return the test table's usable rows, and what Runs carry of them.

    Names of classes are matched without regard to case (HAM10000 writes `mel`, ISIC 2018 `MEL`).

    Args:
        train: All images of the training data set, whether they take part or not.
        test: All images of the test data set.
        readable: Which test images can be predicted, shape (len(test),).
        classes: The classes that take part.
        name: What the test set is called in tables.

    Raises:
        DataError: A class of the test set is unknown to the training set; no row is usable; images
            of the test set are also in the training set.
    """
    known = {class_name.casefold(): index for index, class_name in enumerate(classes)}
    left_out = {class_name.casefold() for class_name in train.classes} - set(known)
    used = sorted({int(label) for label in test.label[readable] if label >= 0})
    names = [test.classes[number] for number in used]
    strange = [
        class_name for class_name in names if class_name.casefold() not in left_out | {*known}
    ]
    if strange:
        raise DataError(
            f"{test.name} has classes that {train.name} has not",
            cause=f"{', '.join(strange)} against {', '.join(classes)}",
            remedy="Rename or leave out these labels in the test set",
        )
    renumber = np.full(len(test.classes) + 1, -1, dtype=np.int16)
    for number in used:
        renumber[number] = known.get(test.classes[number].casefold(), -1)
    label = renumber[test.label]
    rows = np.flatnonzero(readable & (label >= 0))
    if not len(rows):
        raise DataError(
            f"{test.name} cannot be tested on",
            cause="no readable image has a label",
            remedy="Give the ground truth with the test set",
        )
    _refuse_shared_images(train, test, rows)
    return rows, TestSet(name, test.image_id[rows], test.group[rows], label[rows])


def _refuse_shared_images(train: ImageTable, test: ImageTable, rows: NDArray[np.intp]) -> None:
    """Raise where the test set holds images or lesions of the training set.

    Ids that are mere numbers say nothing: every data set may count from 0.
    """
    for what, mine, theirs in (
        ("content", train.image_hash, test.image_hash),
        ("image id", train.image_id, test.image_id),
        ("lesion", train.group, test.group),
    ):
        known = {name for name in mine.tolist() if name and not name.isdigit()}
        shared = [row for row in rows if theirs[row] in known]
        if shared:
            raise DataError(
                f"{counted(len(shared), 'image')} of {test.name} also in {train.name}",
                cause=f"the same {what}, {test.image_id[shared[0]]} for one",
                remedy="Test on images that the training set does not hold",
            )
