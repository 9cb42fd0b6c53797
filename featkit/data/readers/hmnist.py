"""Kaggle's "Skin Cancer MNIST: HAM10000": small images as rows of a CSV file.

Source: https://www.kaggle.com/datasets/kmader/skin-cancer-mnist-ham10000
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from numpy.typing import NDArray

from featkit.data.dataset import Dataset
from featkit.data.places import Place, as_place
from featkit.data.reader import ReaderOptions
from featkit.data.readers._columns import encode_labels, groups_or_ids
from featkit.data.readers._tables import Table, read_header
from featkit.data.readers.ham10000 import HAM10000_CLASSES, find_metadata, read_metadata
from featkit.data.sources import ArrayImages
from featkit.errors import DataError

__all__ = ["HmnistReader"]

_CLASSES = ("akiec", "bcc", "bkl", "df", "nv", "vasc", "mel")
"""What the file's label numbers mean; not the order of HAM10000_CLASSES."""


class HmnistReader:
    """One image a row: columns pixel0000, pixel0001, ... and a label from 0 to 6.

    The file names no lesions. Where HAM10000's own table lies beside it and lists the very same
    diagnoses row by row, ids, lesions and metadata are taken from there; otherwise every image is
    a group of its own, and photographs of one lesion may fall on both sides of a split.
    """

    kind = "hmnist"
    looks_for = "a CSV file with columns pixel0000, ... and label (hmnist_28_28_RGB.csv)"
    needs_path = True
    options: frozenset[str] = frozenset()

    def recognises(self, path: Place) -> bool:
        """Say whether the path is a file with a column pixel0000."""
        return path.is_file() and "pixel0000" in read_header(path)

    def read(self, target: str | Place, options: ReaderOptions) -> Dataset:
        """Return the Dataset with labels in HAM10000's order.

        Raises:
            DataError: Not such a file, a number out of range, or a label outside 0 to 6.
        """
        path = as_place(target)
        pixels, numbers = _read(path)
        image_id = np.array([f"row-{row:05d}" for row in range(len(numbers))])
        digits = [str(number) for number in range(len(_CLASSES))]
        codes = encode_labels(numbers.astype(np.str_), digits, image_id=image_id, where=path)
        names = np.array(_CLASSES)[codes]
        table = _same_rows(path.parent, names)
        return Dataset(
            name=f"{self.kind}:{path.name}",
            images=ArrayImages(pixels),
            image_id=image_id if table is None else table["image_id"],
            label=encode_labels(names, HAM10000_CLASSES, image_id=image_id, where=path),
            group=image_id
            if table is None
            else groups_or_ids(table["lesion_id"], table["image_id"]),
            classes=HAM10000_CLASSES,
            metadata={} if table is None else table.others("image_id", "lesion_id", "dx"),
        )


def _read(path: Place) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return pixels (N, side, side) or (N, side, side, 3), and label numbers (N,)."""
    header = read_header(path)
    side, channels = _shape(len(header) - 1)
    if not side or header[-1] != "label":
        raise DataError(
            f"{path} is no table of pixels",
            cause="it lacks the columns pixel0000, ... of a square image and label at the end",
            remedy="Give a file such as hmnist_28_28_RGB.csv",
        )
    table = _numbers(path)
    if table.shape[1] != len(header):
        raise _damaged(path, f"its rows have {table.shape[1]} cells, its header {len(header)}")
    shape = (len(table), side, side, 3) if channels == 3 else (len(table), side, side)
    return table[:, :-1].reshape(shape), table[:, -1]


def _numbers(path: Place) -> NDArray[np.uint8]:
    try:
        # No rows are only warned of.
        with warnings.catch_warnings(action="error"), path.open(encoding="utf-8-sig") as handle:
            return np.loadtxt(handle, dtype=np.uint8, delimiter=",", skiprows=1, ndmin=2)
    except (ValueError, UserWarning) as error:
        raise _damaged(path, str(error).rstrip(".")) from None


def _damaged(path: Place, cause: str) -> DataError:
    return DataError(
        f"cannot read the pixels of {path}", cause=cause, remedy="Download the file again"
    )


def _shape(values: int) -> tuple[int, int]:
    """Return side and channels of a square image of so many values, (0, 0) for no such image."""
    for channels in (1, 3):
        side = math.isqrt(max(values, 0) // channels)
        if side * side * channels == values:
            return side, channels
    return 0, 0


def _same_rows(folder: Place, names: NDArray[np.str_]) -> Table | None:
    """Return the folder's HAM10000 table where its diagnoses equal these row by row."""
    metadata = find_metadata(folder)
    if metadata is None:
        return None
    table = read_metadata(metadata)
    return table if np.array_equal(table["dx"], names) else None
