"""Inner folds: a grouped, stratified split for choices inside a budget."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featkit.fingerprints import stable_order
from featkit.plans._folds import deal_folds
from featkit.plans._units import find_units

__all__ = ["inner_folds", "validation_rows"]


def inner_folds(
    label: NDArray[np.integer], group: NDArray[np.str_], *, n_splits: int, seed: int
) -> NDArray[np.int16]:
    """Split training rows for choosing a strength, stopping early or calibrating.

    Args:
        label: Class of each row, from 0, shape (n,).
        group: Lesion of each row, shape (n,).
        n_splits: Number of folds wished for; fewer where a class has fewer lesions.
        seed: Seed of the split.

    Returns:
        Fold of each row, shape (n,), from 0 and at least two of them. A class with a single
        lesion gets -1: it is always trained on and never validated. So validate on `fold == k`
        and train on `fold != k`, for k from 0 to `fold.max()`. All are -1 where no class has
        two lesions: then there is nothing to choose by.
    """
    _, label = np.unique(label, return_inverse=True)
    units = find_units(
        group.astype(np.str_), label.astype(np.int16), int(label.max(initial=-1)) + 1
    )
    counts = units.by_class
    smallest = int(np.min(counts, where=counts >= 2, initial=n_splits))
    fold = deal_folds(units, max(2, smallest), "inner", seed)
    fold[counts[units.label] < 2] = -1
    return fold[units.of_row]


def validation_rows(
    label: NDArray[np.integer], group: NDArray[np.str_], *, share: float, seed: int
) -> NDArray[np.bool_]:
    """Choose the training rows that a method validates on instead of training on them.

    Where training is dear, one held-out part takes the place of inner folds.

    Args:
        label: Class of each row, from 0, shape (n,).
        group: Lesion of each row, shape (n,).
        share: Share of each class's lesions that is held out, above 0 and below 1.
        seed: Seed of the choice.

    Returns:
        Whether a row is held out, shape (n,). Each class with two lesions or more has at least
        one on either side; a class with a single lesion is only trained on.
    """
    _, label = np.unique(label, return_inverse=True)
    units = find_units(
        group.astype(np.str_), label.astype(np.int16), int(label.max(initial=-1)) + 1
    )
    held_out = np.zeros(len(units.name), dtype=bool)
    for number, count in enumerate(units.by_class):
        mine = np.flatnonzero(units.label == number)
        order = stable_order(units.name[mine], "validation", seed)
        wanted = min(max(1, round(share * count)), count - 1)
        held_out[mine[order[:wanted]]] = True
    return held_out[units.of_row]
