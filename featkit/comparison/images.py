"""What is known of the test images besides their class: images.csv of the Runs' folders."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from featkit.errors import StoreError

__all__ = ["read_images"]

_OWN = ("image_id", "group", "label")


def read_images(folders: Sequence[Path | str] | Path | str) -> dict[str, Mapping[str, str]]:
    """Return the metadata of each image by its id: columns by name, none where no file is.

    The first folder that knows an image says what is known of it.

    Raises:
        StoreError: A file has no column `image_id`, or cannot be read.
    """
    found: dict[str, Mapping[str, str]] = {}
    given = [folders] if isinstance(folders, Path | str) else folders
    for path in (Path(folder) / "images.csv" for folder in given):
        if path.exists():
            for image_id, facts in _read(path).items():
                found.setdefault(image_id, facts)
    return found


def _read(path: Path) -> dict[str, Mapping[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle, restval=""))
        return {row["image_id"]: _metadata(row) for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise StoreError(
            f"cannot read {path}",
            cause="it is damaged or has no column image_id",
            remedy="Delete it; the next `featkit fit` or `featkit finetune` there writes it anew",
        ) from error


def _metadata(row: Mapping[str | None, str]) -> dict[str, str]:
    return {name: text for name, text in row.items() if name is not None and name not in _OWN}
