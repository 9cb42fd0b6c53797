"""From columns of text to a Dataset's ids, labels, groups and splits, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from featkit.errors import DataError

__all__ = [
    "SPLITS",
    "distinct_ids",
    "encode_labels",
    "groups_or_ids",
    "official_split",
    "sorted_classes",
]

SPLITS: Mapping[str, str] = MappingProxyType(
    {
        "train": "train",
        "training": "train",
        "val": "val",
        "valid": "val",
        "validation": "val",
        "dev": "val",
        "test": "test",
        "testing": "test",
    }
)


def distinct_ids(ids: NDArray[np.str_], *, where: object) -> NDArray[np.str_]:
    """Return the ids where they are distinct and none is empty.

    Raises:
        DataError: Names the first ids that are not, and their rows (the first is 1).
    """
    values, first, count = np.unique(ids, return_index=True, return_counts=True)
    if values[0] == "":
        raise DataError(
            f"{where}: row {first[0] + 1} has no image id",
            cause="the cell is empty",
            remedy="Fill the cell or remove the row",
        )
    twice = values[count > 1]
    if len(twice):
        rows = ", ".join(str(row + 1) for row in np.flatnonzero(ids == twice[0])[:5])
        raise DataError(
            f"{where}: {len(twice)} image ids occur more than once ({twice[0]}: rows {rows})",
            cause="tables were joined, or the column is not the image's id",
            remedy="Keep one row for each image",
        )
    return ids


def encode_labels(
    names: NDArray[np.str_], classes: Sequence[str], *, image_id: NDArray[np.str_], where: object
) -> NDArray[np.int16]:
    """Return the index of each name among the classes, shape (N,).

    Raises:
        DataError: A name is none of the classes; the message names it and its image.
    """
    index = {name: number for number, name in enumerate(classes)}
    values, inverse = np.unique(names, return_inverse=True)
    unknown = [number for number, value in enumerate(values) if str(value) not in index]
    if unknown:
        row = int(np.flatnonzero(np.isin(inverse, unknown))[0])
        raise DataError(
            f"{where}: label {str(names[row])!r} of image {image_id[row]} is no known class",
            cause=f"the classes are {', '.join(classes)}",
            remedy="Correct the label or remove the row",
        )
    codes = np.array([index[str(value)] for value in values], dtype=np.int16)
    return codes[inverse]


def groups_or_ids(groups: NDArray[np.str_], image_id: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return the groups; an image without one is a group of its own."""
    return np.where(groups == "", image_id, groups)


def official_split(values: NDArray[np.str_], *, where: object) -> NDArray[np.str_]:
    """Return each row's split as `train`, `val` or `test`.

    Raises:
        DataError: A value means none of the three.
    """
    names, inverse = np.unique(values, return_inverse=True)
    for name in names:
        if str(name).lower() not in SPLITS:
            raise DataError(
                f"{where}: {str(name)!r} is no split",
                cause=f"the names known are {', '.join(SPLITS)}",
                remedy="Rename it, or leave the split column out",
            )
    return np.array([SPLITS[str(name).lower()] for name in names])[inverse]


def sorted_classes(names: NDArray[np.str_]) -> tuple[str, ...]:
    """Return the distinct names but the empty one, whole numbers by value and others as text."""
    classes = [str(name) for name in np.unique(names) if name != ""]
    if all(name.isdecimal() for name in classes):
        return tuple(sorted(classes, key=int))
    return tuple(classes)
