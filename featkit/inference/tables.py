"""Where images for a prediction come from, and where its table goes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from featkit.data import Dataset, dataset_of, load_dataset, unlabelled_columns
from featkit.data.places import is_url
from featkit.errors import DataError, UsageError
from featkit.files import atomic_path, write_json
from featkit.inference.predictions import Predictions

__all__ = ["check_table", "images_at", "write_table"]

_IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif"}
_TABLES = (".csv", ".json", ".parquet")


def images_at(given: Sequence[str]) -> Dataset:
    """Return the images that are meant by words of a command line.

    Args:
        given: Image files or URLs; or one folder of images, however deep; or one table with a
            column of images; or one data set as `load_dataset` takes it.

    Raises:
        DataError: There is no image.
        UsageError: No word.
    """
    if not given:
        raise UsageError("no image was given", cause="the list is empty", remedy="Name a file")
    if len(given) == 1 and not _is_image(given[0]):
        place = Path(given[0])
        if place.is_dir():
            return _below(place)
        columns = unlabelled_columns(place)
        return load_dataset(given[0] if columns is None else place, columns=columns)
    folders = [each for each in given if Path(each).is_dir()]
    if folders:
        raise UsageError(
            f"{folders[0]} among several",
            cause="it is a folder, and only one may be given, alone",
            remedy="Give one folder, or image files",
        )
    missing = [each for each in given if not is_url(each) and not Path(each).exists()]
    if missing:
        raise DataError(
            f"{missing[0]} does not exist", cause="no such file", remedy="Check the path"
        )
    return dataset_of(given)


def check_table(path: Path) -> None:
    """Refuse a table that could not be written at the end.

    Raises:
        UsageError: Its kind is unknown, or needs a library that is not installed.
    """
    if path.suffix.lower() not in _TABLES:
        raise UsageError(
            f"--out {path}",
            cause=f"{path.suffix or 'no ending'} is no kind of table",
            remedy=f"Use one of {', '.join(_TABLES)}",
        )
    if path.suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        raise UsageError(
            f"--out {path}",
            cause="Parquet is written by pyarrow, which is not installed",
            remedy="Install it: pip install 'featkit[parquet]', or use .csv",
        )


def write_table(found: Predictions, path: Path) -> None:
    """Write predictions as CSV, JSON or Parquet, by the file's ending.

    Raises:
        UsageError: See `check_table`.
        StoreError: The file cannot be written.
    """
    check_table(path)
    kind = path.suffix.lower()
    if kind == ".json":
        write_json(path, list(found.rows()))
        return
    with atomic_path(path) as temporary:
        if kind == ".parquet":
            found.pandas().to_parquet(temporary, index=False)
            return
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, found.columns)
            writer.writeheader()
            writer.writerows(found.rows())


def _is_file_of_image(path: Path) -> bool:
    # macOS puts a file ._NAME beside each file on disks of others.
    return path.suffix.lower() in _IMAGES and not path.name.startswith("._") and path.is_file()


def _is_image(text: str) -> bool:
    return Path(text.partition("?")[0]).suffix.lower() in _IMAGES


def _below(folder: Path) -> Dataset:
    """Return all images below a folder, or what the folder is as a data set."""
    paths = sorted(path for path in folder.rglob("*") if _is_file_of_image(path))
    if not paths:
        return load_dataset(folder)
    names = np.array([str(path.relative_to(folder)) for path in paths])
    return replace(dataset_of(paths), image_id=names, group=names)
