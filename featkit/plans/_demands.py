"""What a design demands of options and data, refused by name before anything is dealt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, get_args

import numpy as np
from numpy.typing import NDArray

from featkit.errors import PlanError, UsageError
from featkit.plans.budgets import MIN_LESIONS
from featkit.plans.plan import Split

__all__ = ["check_folds", "check_options", "check_table", "check_training"]


def check_options(split: Split, folds: int, classes: Sequence[str]) -> None:
    """Refuse options that cannot be meant.

    Raises:
        UsageError: An unknown split, or fewer than two folds.
        PlanError: Fewer than two classes, or two of one name.
    """
    if split not in get_args(Split):
        names = ", ".join(get_args(Split))
        raise UsageError(f"split {split}", cause="no such split", remedy=f"Use one of {names}")
    if folds < 2 and split != "official":
        raise UsageError(
            f"{folds} fold(s)",
            cause="a test fold needs at least one other to train on",
            remedy="Use --folds 2 or more; --use-folds 1 runs only the first of them",
        )
    if len(set(classes)) != len(classes):
        _refuse("the classes' names", "two classes have one name", "Give each its own name")
    if len(classes) < 2:
        _refuse_single(", ".join(classes) or "none")


def check_table(
    image_id: NDArray[np.str_],
    label: NDArray[np.integer],
    group: NDArray[np.str_],
    image_hash: NDArray[np.str_],
    classes: Sequence[str],
) -> None:
    """Refuse a table that would give wrong but plausible splits.

    Raises:
        PlanError: Columns of different length, no label or one class at all, a label outside the
            classes, an id that comes twice, or an image without a group.
    """
    remedy = "Run featkit data check on the data set"
    shapes = [column.shape for column in (image_id, label, group, image_hash)]
    if len(set(shapes)) > 1 or image_id.ndim != 1:
        listed = ", ".join(map(str, shapes))
        _refuse("the table", f"ids, labels, groups and hashes have shapes {listed}", remedy)
    if label.dtype.kind not in "iu":
        _refuse("the labels", f"they are {label.dtype}, not integers", "Give indices of classes")
    if not np.any(label >= 0):
        _refuse("the table", "no image has a label", remedy)
    outside = label[(label < -1) | (label >= len(classes))]
    if len(outside):
        _refuse(f"label {outside[0]}", f"there are {len(classes)} classes, counted from 0", remedy)
    present = np.unique(label[label >= 0])
    if len(present) == 1:
        _refuse_single(classes[present[0]])
    name, count = np.unique(image_id, return_counts=True)
    if count.max() > 1:
        _refuse(f"image {name[count > 1][0]}", "the id comes more than once", remedy)
    # An empty name for all unknown lesions would tie their images into one huge lesion.
    if np.any(group == ""):
        _refuse(f"image {image_id[group == ''][0]}", "it has no lesion (group)", remedy)


def check_folds(counts: NDArray[np.intp], classes: Sequence[str], folds: int, word: str) -> None:
    """Refuse a number of folds that a class has too few lesions for.

    Args:
        counts: Lesions of each class, shape (C,).
        classes: The classes' names.
        folds: Number of test folds, at least 2.
        word: What is dealt, lesions or images.

    Raises:
        PlanError: A class would miss in a fold, or have fewer than two lesions to train on.
    """
    fewest = int(counts.min())
    # One of `folds` is tested, so that three folds of three lesions leave two to train on, but
    # two folds leave two only of four.
    needed = max(folds, MIN_LESIONS * 2 if folds == 2 else 0)
    if fewest < needed:
        start = f"Use --folds {fewest}, add" if fewest > MIN_LESIONS else "Add"
        cause = f"{folds} folds need at least {needed} {word} of every class"
        _refuse_few(counts, classes, needed, word=word, cause=cause, start=start)


def check_training(counts: NDArray[np.intp], classes: Sequence[str]) -> None:
    """Refuse an official training set with too few lesions of a class.

    Args:
        counts: Training lesions of each class, shape (C,).
        classes: The classes' names.

    Raises:
        PlanError: A class has fewer than two lesions to train on.
    """
    if counts.min() < MIN_LESIONS:
        cause = f"training needs at least {MIN_LESIONS} lesions of every class"
        word = "lesions on the training side of the official split"
        _refuse_few(counts, classes, MIN_LESIONS, word=word, cause=cause, start="Add")


def _refuse_few(
    counts: NDArray[np.intp],
    classes: Sequence[str],
    needed: int,
    *,
    word: str,
    cause: str,
    start: str,
) -> NoReturn:
    few = [(name, count) for name, count in zip(classes, counts, strict=True) if count < needed]
    listed = ", ".join(f"class {name} has {count}" for name, count in few)
    out = " ".join(f"--exclude-class {name}" for name, _ in few)
    _refuse(
        f"too few {word}: {listed}", cause, f"{start} data of the class, or leave it out with {out}"
    )


def _refuse_single(name: str) -> NoReturn:
    _refuse(
        f"one class only ({name})",
        "there is nothing to tell it from",
        "Give images of two classes or more",
    )


def _refuse(what: str, cause: str, remedy: str) -> NoReturn:
    raise PlanError(what, cause=cause, remedy=remedy)
