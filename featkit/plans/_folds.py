"""Dealing units to folds: every class in every fold, lesions and images balanced."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featkit.fingerprints import stable_order
from featkit.plans._units import Units

__all__ = ["deal_folds"]


def deal_folds(units: Units, folds: int, *salt: object) -> NDArray[np.int16]:
    """Deal the units of each class to folds, the same number to each give or take one.

    The largest units go first, one to each fold and the largest to the fold that has the fewest
    images of the class (then the fewest of all): so images are balanced as well.

    Args:
        units: What is dealt.
        folds: Number of folds.
        *salt: What the deal depends on besides the units' names.

    Returns:
        Fold of each unit, shape (U,).
    """
    fold = np.empty(len(units.name), dtype=np.int16)
    images = np.zeros(folds, dtype=np.intp)
    for number in range(units.n_classes):
        of_class = np.flatnonzero(units.label == number)
        of_class = of_class[stable_order(units.name[of_class], "fold", *salt)]
        of_class = of_class[np.argsort(-units.size[of_class], kind="stable")]
        images_of_class = np.zeros(folds, dtype=np.intp)
        for start in range(0, len(of_class), folds):
            block = of_class[start : start + folds]
            emptiest = np.lexsort((images, images_of_class))[: len(block)]
            fold[block] = emptiest
            images_of_class[emptiest] += units.size[block]
            images[emptiest] += units.size[block]
    return fold
