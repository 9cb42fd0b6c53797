"""The published list of HAM10000's duplicates, rewritten as `--duplicates` takes pairs."""

from __future__ import annotations

import csv
from pathlib import Path, PurePosixPath

from featkit.data.places import as_place
from featkit.data.readers._tables import read_table
from featkit.data.readers.ham10000 import find_metadata, read_metadata
from featkit.errors import DataError
from featkit.files import atomic_path

__all__ = ["pairs_not_in", "rewrite_pairs"]

_COLUMNS = ("image_1", "image_2", "similarity", "confirmed")


def rewrite_pairs(published: Path, path: Path) -> None:
    """Write the published pairs of file names as pairs of image ids, all of them confirmed.

    Args:
        published: A table with columns similarity, from_img and to_img.
        path: The file to write.

    Raises:
        DataError: It is no such table, or a row makes no sense.
    """
    table = read_table(published)
    columns = [table[name].tolist() for name in ("from_img", "to_img", "similarity")]
    rows = [
        (_image_id(a), _image_id(b), alike, "yes") for a, b, alike in zip(*columns, strict=True)
    ]
    for first, second, *_ in rows:
        if not first or not second or first == second:
            raise DataError(
                f"{published.name} is no list of pairs",
                cause=f"it pairs {first!r} with {second!r}",
                remedy="Try again with a newer featkit",
            )
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(rows)


def pairs_not_in(path: Path) -> tuple[int, list[str]]:
    """Return the number of pairs, and the images that HAM10000's table beside them doesn't name.

    Without a table beside them nothing is missed.
    """
    table = read_table(path)
    metadata = find_metadata(as_place(path.parent))
    if metadata is None:
        return len(table), []
    known = set(read_metadata(metadata)["image_id"].tolist())
    named = {*table["image_1"].tolist(), *table["image_2"].tolist()}
    return len(table), sorted(named - known)


def _image_id(name: str) -> str:
    return PurePosixPath(name).stem
