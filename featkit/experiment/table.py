"""ImageTable: the images that a design is made for, whatever stands for their pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from featkit.errors import DataError, UsageError

__all__ = ["ImageTable"]


@dataclass(frozen=True, eq=False)
class ImageTable:
    """N images with what a Plan and a report want to know of them.

    Attributes:
        name: Where they come from, for messages: a feature file, a data set.
        image_id: Distinct ids, shape (N,).
        label: Index into `classes`, -1 = none, shape (N,), int16.
        group: What must stay together (a lesion), shape (N,).
        image_hash: By which each image is known again, "" = unknown, shape (N,).
        classes: The classes' names.
        official: The data set's own split, shape (N,), or None.
        metadata: Further columns, each of shape (N,).
    """

    name: str
    image_id: NDArray[np.str_]
    label: NDArray[np.int16]
    group: NDArray[np.str_]
    image_hash: NDArray[np.str_]
    classes: tuple[str, ...]
    official: NDArray[np.str_] | None = None
    metadata: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.image_id)

    def select(self, rows: NDArray[np.intp]) -> ImageTable:
        """Return the table of these rows only, in this order."""
        return replace(
            self,
            image_id=self.image_id[rows],
            label=self.label[rows],
            group=self.group[rows],
            image_hash=self.image_hash[rows],
            official=None if self.official is None else self.official[rows],
            metadata={name: column[rows] for name, column in self.metadata.items()},
        )

    def participants(
        self, readable: NDArray[np.bool_], *, exclude: Sequence[str] = ()
    ) -> tuple[NDArray[np.intp], ImageTable]:
        """Return which rows take part in an experiment, and the table of them.

        Args:
            readable: Which images can be learned from, shape (N,).
            exclude: Classes that take no part; they are none of the new table's classes.

        Raises:
            UsageError: A class to exclude that is not there.
            DataError: No row takes part.
        """
        unknown = sorted(set(exclude) - set(self.classes))
        if unknown:
            raise UsageError(
                f"--exclude-class {unknown[0]}",
                cause=f"the classes are {', '.join(self.classes)}",
                remedy="Give one of these names",
            )
        kept = tuple(name for name in self.classes if name not in exclude)
        renumber = np.full(len(self.classes) + 1, -1, dtype=np.int16)
        renumber[[self.classes.index(name) for name in kept]] = np.arange(len(kept))
        label = renumber[self.label]  # label -1 reads the last entry, which is -1
        rows = np.flatnonzero(readable & (label >= 0))
        if not len(rows):
            raise DataError(
                f"{self.name} has no row with a label and a readable image",
                cause="the data set was read without labels, or every image failed",
                remedy="See `featkit data check DATA`, or `featkit inspect` for a feature file",
            )
        return rows, replace(self, classes=kept, label=label).select(rows)
