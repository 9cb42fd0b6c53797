"""Pairs of images under two lesion ids, and the file that keeps them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from featkit.duplicates.evidence import Evidence
from featkit.errors import DataError
from featkit.files import atomic_path

__all__ = ["DuplicatePair", "read_pairs", "write_pairs"]

_COLUMNS = (
    "image_1",
    "image_2",
    "lesion_1",
    "lesion_2",
    "label_1",
    "label_2",
    "similarity",
    "inliers",
    "correlation",
    "overlap",
    "scale",
    "rotation",
    "mirrored",
    "confirmed",
)

_NEEDED = ("image_1", "image_2", "confirmed")

_YES_NO = {True: "yes", False: "no"}

_MAKE = "Make the file with `featkit data check DATA --duplicates --out FILE`"


@dataclass(frozen=True)
class DuplicatePair:
    """Two images of different lesion ids, and what speaks for their being one lesion.

    Attributes:
        images: Both ids.
        lesions: Both lesion ids ("" = unknown).
        labels: Both classes' names ("" = no label).
        similarity: Cosine of the features, in the best view.
        evidence: What the geometry says.
    """

    images: tuple[str, str]
    lesions: tuple[str, str]
    labels: tuple[str, str]
    similarity: float
    evidence: Evidence

    @property
    def confirmed(self) -> bool:
        """Whether the evidence suffices."""
        return self.evidence.confirmed

    @property
    def relabelled(self) -> bool:
        """True where both have a label and not the same: at least one is wrong."""
        return "" not in self.labels and self.labels[0] != self.labels[1]

    def to_dict(self) -> dict[str, object]:
        """Return the file's columns as JSON-like values."""
        evidence = self.evidence
        values = (
            *self.images,
            *self.lesions,
            *self.labels,
            round(self.similarity, 4),
            evidence.inliers,
            round(evidence.correlation, 4),
            round(evidence.overlap, 4),
            round(evidence.scale, 4),
            round(evidence.rotation, 1),
            evidence.mirrored,
            self.confirmed,
        )
        return dict(zip(_COLUMNS, values, strict=True))


def write_pairs(path: str | Path, pairs: Iterable[DuplicatePair]) -> None:
    """Write pairs as CSV, whole or not at all.

    Raises:
        StoreError: The file cannot be written.
    """
    with (
        atomic_path(Path(path)) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        for pair in pairs:
            row = pair.to_dict()
            yes_no = {name: _YES_NO[bool(row[name])] for name in ("mirrored", "confirmed")}
            writer.writerow({**row, **yes_no})


def read_pairs(path: str | Path) -> tuple[tuple[str, str], ...]:
    """Return the pairs of image ids whose row says `confirmed`: yes.

    The columns image_1, image_2 and confirmed are read, others are not, so that a person who
    looked at the pairs may correct the file or write another by hand.

    Raises:
        DataError: There is no such file, a column is missing, or a row makes no sense.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            _check_columns(path, table.fieldnames or ())
            return tuple(
                pair for row in table if (pair := _confirmed(path, table.line_num, row)) is not None
            )
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise DataError(f"cannot read {path}", cause=cause, remedy="Check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        _refuse(f"{path} is no table of pairs", f"it is not CSV in UTF-8 ({error})", _MAKE)


def _check_columns(path: Path, columns: Iterable[str]) -> None:
    columns = list(columns)
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        listed = ", ".join(columns) or "none"
        cause = f"it lacks the column {' and '.join(missing)} (it has: {listed})"
        _refuse(f"{path} is no table of pairs", cause, _MAKE)


def _confirmed(path: Path, line: int, row: Mapping[str, str | None]) -> tuple[str, str] | None:
    """Return a row's pair, or None where it is not confirmed."""
    first, second, said = ((row[name] or "").strip() for name in _NEEDED)
    where = f"{path}, line {line}"
    if not first or not second:
        _refuse(where, "an image id is missing", "Complete the row or remove it")
    if first == second:
        _refuse(where, f"image {first} is paired with itself", "Correct the row or remove it")
    if said not in _YES_NO.values():
        _refuse(where, f"confirmed is {said!r}", "Write yes or no")
    return (first, second) if said == "yes" else None


def _refuse(what: str, cause: str, remedy: str) -> NoReturn:
    raise DataError(what, cause=cause, remedy=remedy)
