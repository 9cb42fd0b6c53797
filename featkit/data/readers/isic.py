"""The ISIC challenges' classification sets of 2018 (task 3) and 2019, as unpacked.

Source: https://challenge.isic-archive.com/data/
"""

from __future__ import annotations

from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from featkit.data.dataset import Dataset
from featkit.data.places import Place, as_place
from featkit.data.reader import ReaderOptions
from featkit.data.readers._columns import distinct_ids, groups_or_ids
from featkit.data.readers._files import image_files, match_files, subfolders
from featkit.data.readers._isic_parts import (
    DIAGNOSES,
    WEIGHTS,
    IsicPart,
    find_truths,
    is_one_hot,
    locate_part,
)
from featkit.data.readers._tables import Table, read_table
from featkit.errors import DataError

__all__ = ["IsicReader"]


class IsicReader:
    """A folder of images beside a one-hot table; test sets may come without the table.

    Classes are the table's columns in lower case by alphabet, so that those of 2018 equal
    HAM10000's. `UNK` is a class only where an image has it.
    """

    kind = "isic"
    looks_for = (
        "a folder with a one-hot ISIC..._GroundTruth.csv beside ISIC..._Input, or that table, "
        "or ISIC..._Input alone (without labels)"
    )
    needs_path = True
    options = frozenset({"lesions"})

    def recognises(self, path: Place) -> bool:
        """Say whether the path is, or holds, a one-hot table or a folder ISIC..._Input."""
        if path.is_file():
            return is_one_hot(path)
        return any(is_one_hot(truth) for truth in find_truths(path)) or any(
            folder.resolve().name.lower().startswith("isic") and "input" in folder.name.lower()
            for folder in (path, *subfolders(path))
        )

    def read(self, target: str | Place, options: ReaderOptions) -> Dataset:
        """Return the Dataset with groups from the lesion table, where there is one.

        Raises:
            DataError: Several tables, no images, a row that is not one-hot, or a lesion table of
                other images.
        """
        path = as_place(target)
        part = locate_part(path)
        image_id, label, classes = _labels(part)
        images, unlisted = match_files(
            image_id.tolist(), part.folders, root=part.root, table=part.name
        )
        metadata = _metadata(
            part, image_id, lesions=None if options.lesions is None else as_place(options.lesions)
        )
        lesion_id = metadata.pop("lesion_id", image_id)
        return Dataset(
            name=f"{self.kind}:{path.resolve().name}",
            images=images,
            image_id=image_id,
            label=label,
            group=groups_or_ids(lesion_id, image_id),
            classes=classes,
            metadata=metadata,
            unlisted=unlisted,
        )


def _labels(part: IsicPart) -> tuple[NDArray[np.str_], NDArray[np.int16], tuple[str, ...]]:
    """Return ids, labels and classes; without a table every image is there and has no label."""
    if part.truth is not None:
        table = read_table(part.truth)
        image_id = distinct_ids(table["image"], where=part.truth)
        return image_id, *_decode_one_hot(table)
    own = [folder for folder in part.folders if folder.resolve().name.lower().startswith("isic")]
    files = [path for folder in own for path in image_files(folder, deep=True)]
    if not files:
        raise DataError(
            f"{part.root} holds neither a ground truth nor a folder ISIC..._Input with images",
            cause="looked for a one-hot CSV with the columns image, MEL, NV, ... and for images in "
            + ", ".join(str(folder) for folder in part.folders),
            remedy="Unpack the archives there, or give the ground-truth CSV as the path",
        )
    image_id = distinct_ids(np.array([PurePath(path).stem for path in files]), where=part.root)
    return image_id, np.full(len(image_id), -1, dtype=np.int16), ()


def _decode_one_hot(table: Table) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    columns = table.others("image", *WEIGHTS)
    names = sorted(columns)
    strange = [name for name in names if name not in DIAGNOSES]
    if strange:
        raise _not_one_hot(table, f"{', '.join(strange)} is no diagnosis of ISIC 2018 or 2019")
    try:
        hot = np.stack([columns[name].astype(np.float64) for name in names], axis=1)
    except ValueError:
        raise _not_one_hot(table, "a cell is no number") from None
    wrong = np.flatnonzero((hot.sum(axis=1) != 1) | ~np.isin(hot, (0, 1)).all(axis=1))
    if len(wrong):
        row = wrong[0]
        marked = [f"{name}={value:g}" for name, value in zip(names, hot[row], strict=True) if value]
        raise _not_one_hot(
            table,
            f"{len(wrong)} images have not exactly one label, first {table['image'][row]} "
            f"({', '.join(marked) or 'zeros only'})",
        )
    kept = [column for column, name in enumerate(names) if name != "UNK" or hot[:, column].any()]
    label = hot[:, kept].argmax(axis=1).astype(np.int16)
    return label, tuple(names[column].lower() for column in kept)


def _not_one_hot(table: Table, cause: str) -> DataError:
    return DataError(
        f"{table.path} is not a one-hot table of diagnoses",
        cause=cause,
        remedy="Correct the table, or read it as csv:PATH if it is another kind",
    )


def _metadata(
    part: IsicPart, image_id: NDArray[np.str_], *, lesions: Place | None
) -> dict[str, NDArray[np.str_]]:
    """Return the columns of the part's metadata and lesion tables, where there are such."""
    metadata = _join(part.companion("metadata"), image_id)
    if lesions is None:
        return metadata | _join(part.companion("lesiongroupings"), image_id)
    grouping = _join(lesions, image_id)
    if not np.any(grouping.get("lesion_id", np.array("")) != ""):
        raise DataError(
            f"{lesions} names no lesion of {part.name}'s images",
            cause="it belongs to another part of the data set, or has no column lesion_id",
            remedy="Give the table with columns image and lesion_id for these images",
        )
    return metadata | grouping


def _join(path: Place | None, image_id: NDArray[np.str_]) -> dict[str, NDArray[np.str_]]:
    """Return a table's columns in the images' order, "" for images that it does not name."""
    if path is None:
        return {}
    table = read_table(path)
    names = distinct_ids(table["image"], where=path)
    order = np.argsort(names)
    places = order[np.searchsorted(names, image_id, sorter=order).clip(max=len(names) - 1)]
    known = names[places] == image_id
    return {
        name: np.where(known, column[places], "") for name, column in table.others("image").items()
    }
