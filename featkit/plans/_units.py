"""Units: what a split deals out whole, lesions or (in a random split) single images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Units", "find_units"]


@dataclass(frozen=True)
class Units:
    """U units in alphabetical order, hence independent of the order of rows.

    Attributes:
        name: Distinct names, shape (U,).
        label: The class by which the unit is stratified, shape (U,).
        size: Number of images, shape (U,).
        of_row: Unit of each row, -1 = takes no part, shape (N,).
        n_classes: Number of classes.
    """

    name: NDArray[np.str_]
    label: NDArray[np.intp]
    size: NDArray[np.intp]
    of_row: NDArray[np.intp]
    n_classes: int

    @property
    def by_class(self) -> NDArray[np.intp]:
        """Number of units of each class, shape (C,)."""
        return np.bincount(self.label, minlength=self.n_classes)

    def select(self, units: NDArray[np.intp]) -> Units:
        """Return these units only, in this order; rows of others are in none."""
        place = np.full(len(self.name) + 1, -1, dtype=np.intp)
        place[units] = np.arange(len(units))
        return Units(
            name=self.name[units],
            label=self.label[units],
            size=self.size[units],
            of_row=place[self.of_row],
            n_classes=self.n_classes,
        )

    def count_by_class(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the number of units of each class among rows that take part, shape (C,)."""
        return np.bincount(self.label[np.unique(self.of_row[rows])], minlength=self.n_classes)


def find_units(key: NDArray[np.str_], label: NDArray[np.int16], n_classes: int) -> Units:
    """Gather rows into units.

    A unit whose images have several labels is stratified by the rarest of them, the class that
    fewest units show, since that is the class that a fold could miss.

    Args:
        key: Name of each row's unit, shape (N,).
        label: Class of each row, -1 = takes no part, shape (N,).
        n_classes: Number of classes C.
    """
    rows = np.flatnonzero(label >= 0)
    name, index = np.unique(key[rows], return_inverse=True)
    shown = np.zeros((len(name), n_classes), dtype=bool)
    shown[index, label[rows]] = True
    rarity = np.empty(n_classes, dtype=np.intp)
    rarity[np.argsort(shown.sum(axis=0), kind="stable")] = np.arange(n_classes)
    of_row = np.full(len(key), -1, dtype=np.intp)
    of_row[rows] = index
    return Units(
        name=name,
        label=np.argmin(np.where(shown, rarity, n_classes), axis=1),
        size=np.bincount(index, minlength=len(name)),
        of_row=of_row,
        n_classes=n_classes,
    )
