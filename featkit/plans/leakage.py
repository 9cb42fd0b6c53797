"""The leak of a random split: training sets of equal size, without and with siblings of the test.

A sibling is a training image of a lesion that is tested as well. Both training sets have the same
number of images of each class and are tested on the same images, so what they score differently is
the siblings' doing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from featkit.fingerprints import stable_order

if TYPE_CHECKING:
    from featkit.plans.plan import Plan

__all__ = [
    "IMAGE_SPLITS",
    "clean_order",
    "has_siblings",
    "leaks",
    "leaky_order",
    "sibling_units",
]

IMAGE_SPLITS = ("random", "random-clean", "random-leaky")
"""Splits that deal single images to the folds, all in the same way."""

Index = NDArray[np.intp]


def leaks(split: str) -> bool:
    """Tell whether images of one lesion may stand on both sides of a split."""
    return split in {"random", "random-leaky"}


def sibling_units(of_row: Index, group: NDArray[np.str_], tested: Index) -> NDArray[np.bool_]:
    """Return which units hold an image of a lesion that is tested.

    Args:
        of_row: Unit of each row, -1 = takes no part, shape (N,).
        group: Lesion of each row, shape (N,).
        tested: Rows that are tested.
    """
    sibling = np.zeros(int(of_row.max()) + 1, dtype=bool)
    sibling[of_row[np.isin(group, group[tested]) & (of_row >= 0)]] = True
    return sibling


def clean_order(order: Index, sibling: NDArray[np.bool_]) -> Index:
    """Return the units of one class without siblings, in their order."""
    return order[~sibling[order]]


def leaky_order(
    order: Index, sibling: NDArray[np.bool_], name: NDArray[np.str_], *salt: object
) -> Index:
    """Return as many units as `clean_order` does, with all siblings among them, in their order.

    The siblings take the place of clean units that are chosen at random, apart from the order: so
    budgets, which are prefixes of it, hold siblings in the same proportion as the whole.

    Args:
        order: Units of one class.
        sibling: Whether a unit is a sibling, shape (U,); where they outnumber the clean units,
            the first ones are taken.
        name: Name of each unit, shape (U,).
        *salt: What the choice depends on besides the units' names.
    """
    clean, siblings = clean_order(order, sibling), order[sibling[order]]
    siblings = siblings[: len(clean)]
    stay = stable_order(name[clean], "leak", *salt)[: len(clean) - len(siblings)]
    return order[np.isin(order, np.concatenate([siblings, clean[stay]]))]


def has_siblings(plan: Plan, fold: int) -> NDArray[np.bool_]:
    """Return which rows of `plan.test_rows(fold)` have siblings in the fold's training pool."""
    pool = (plan.fold_of != fold) & (plan.label >= 0)
    return np.isin(plan.group[plan.test_rows(fold)], plan.group[pool])
