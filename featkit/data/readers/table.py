"""Any table that names image files and their labels, its columns named by options."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from featkit.data.dataset import Dataset
from featkit.data.places import Place, as_place, is_url, is_web
from featkit.data.reader import CsvColumns, ReaderOptions
from featkit.data.readers._columns import (
    distinct_ids,
    encode_labels,
    groups_or_ids,
    official_split,
    sorted_classes,
)
from featkit.data.readers._files import by_name, image_files, placed_images, unlisted_files
from featkit.data.readers._tables import Table, read_header, read_table
from featkit.data.sources import FileImages
from featkit.errors import DataError

__all__ = ["CsvReader", "unlabelled_columns"]

_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
_IMAGE = ("image", "image_path", "path", "file_path", "filepath", "file", "file_name", "filename")
_LABEL = ("label", "class", "target", "diagnosis", "category")
_ID = ("id", "image_id")
_GROUP = ("group", "patient_id", "lesion_id")


class CsvReader:
    """A table with one row an image, delimited by comma, tab or semicolon."""

    kind = "csv"
    looks_for = (
        f"a CSV or TSV file with a column {' or '.join(_IMAGE[:3])} and a column "
        f"{' or '.join(_LABEL[:3])}"
    )
    needs_path = True
    options = frozenset({"columns"})

    def recognises(self, path: Place) -> bool:
        """Say whether the path is a table with columns of the usual names."""
        if not path.is_file() or path.suffix.lower() not in _SUFFIXES:
            return False
        header = read_header(path)
        return _first(_IMAGE, header) is not None and _first(_LABEL, header) is not None

    def read(self, target: str | Place, options: ReaderOptions) -> Dataset:
        """Return the Dataset; classes are the distinct labels.

        Raises:
            DataError: A column is missing, ids are not distinct, or no image is there.
        """
        path = as_place(target)
        table = read_table(path)
        columns = options.columns or _usual_columns(table)
        names = table[columns.image]
        image_id = distinct_ids(table[columns.id] if columns.id else names, where=path)
        labels = table[columns.label] if columns.label else np.full(len(names), "")
        classes = sorted_classes(labels)
        group = columns.group or _first(_GROUP, table.columns)
        groups = table[group] if group else image_id
        split = official_split(table[columns.split], where=path) if columns.split else None
        root = as_place(columns.root) if columns.root else path.parent
        images, unlisted = _find_images(names, root, table=path.name)
        code = encode_labels(labels, (*classes, ""), image_id=image_id, where=path)
        return Dataset(
            name=f"{self.kind}:{path.name}",
            images=images,
            image_id=image_id,
            label=np.where(labels == "", np.int16(-1), code),
            group=groups_or_ids(groups, image_id),
            classes=classes,
            metadata=table.others(columns.image, columns.label, group, columns.id, columns.split),
            split=split,
            unlisted=unlisted,
        )


def unlabelled_columns(path: Place) -> CsvColumns | None:
    """Return the columns of a table that names images and no labels; None where it is no such."""
    if not path.is_file() or path.suffix.lower() not in _SUFFIXES:
        return None
    header = read_header(path)
    image = _first(_IMAGE, header)
    if image is None or _first(_LABEL, header) is not None:
        return None
    return CsvColumns(image=image, label=None, id=_first(_ID, header))


def _usual_columns(table: Table) -> CsvColumns:
    image, label = _first(_IMAGE, table.columns), _first(_LABEL, table.columns)
    if image is None or label is None:
        missing = _IMAGE if image is None else _LABEL
        raise DataError(
            f"{table.path} has no column called {', '.join(missing[:-1])} or {missing[-1]}",
            cause=f"its columns are {', '.join(table.columns)}",
            remedy="Name the columns of image and label",
        )
    return CsvColumns(
        image=image,
        label=label,
        id=_first(_ID, table.columns),
        split=_first(("split",), table.columns),
    )


def _first(candidates: tuple[str, ...], columns: Iterable[str]) -> str | None:
    there = set(columns)
    return next((name for name in candidates if name in there), None)


def _find_images(
    names: NDArray[np.str_], root: Place, *, table: str
) -> tuple[FileImages, tuple[str, ...]]:
    """Return the files that paths, with or without ending, point to from a folder.

    URLs, and paths on a web server, which may list nothing, are taken as they stand.
    """
    listings: dict[str, dict[str, str]] = {}
    paths: list[str | None] = []
    for name in map(str, names):
        whole = f"{root}/{name}" if is_web(root) and not is_url(name) else name
        if is_url(whole):
            paths.append(whole)
            continue
        folder, file = os.path.split(name)
        if folder not in listings:
            place = root / folder
            listings[folder] = by_name(image_files(place, deep=False) if place.is_dir() else ())
        paths.append(listings[folder].get(file))
    if not any(paths):
        raise DataError(
            f"none of the {len(names)} images of {table} is there ({names[0]}, ...)",
            cause=f"looked from {root}",
            remedy="Name the folder that the paths start from",
        )
    files = dict.fromkeys(path for listing in listings.values() for path in listing.values())
    return placed_images(paths, root), unlisted_files(files, paths, root=root)
