"""Where the tables and images of one part of an ISIC challenge lie."""

from __future__ import annotations

from dataclasses import dataclass

from featkit.data.places import Place
from featkit.data.readers._files import image_folders, name_prefix, subfolders, tables
from featkit.data.readers._tables import read_header
from featkit.errors import DataError

__all__ = ["DIAGNOSES", "WEIGHTS", "IsicPart", "find_truths", "is_one_hot", "locate_part"]

DIAGNOSES = frozenset({"MEL", "NV", "BCC", "AKIEC", "AK", "BKL", "DF", "VASC", "SCC", "UNK"})
"""Columns of the one-hot tables of 2018 and 2019."""

WEIGHTS = frozenset({"score_weight", "validation_weight"})
"""Further columns of the test sets' tables: how much an image counted in the challenge."""


@dataclass(frozen=True)
class IsicPart:
    """One part (training, validation, test) of a challenge.

    Attributes:
        root: The data set's folder.
        truth: The one-hot table; None for a test set without labels.
        folders: Where the images are.
    """

    root: Place
    truth: Place | None
    folders: list[Place]

    @property
    def name(self) -> str:
        """File name of the table, or of the folder of images without it."""
        return self.truth.name if self.truth else self.folders[0].resolve().name

    def companion(self, what: str) -> Place | None:
        """Return the part's table `..._WHAT.csv` (in any case), if there is one."""
        prefix = name_prefix(self.name)
        for place in (self.root, (self.truth or self.folders[0]).parent):
            for path in tables(place):
                name = path.name.lower()
                if name.startswith(prefix) and what in name.removeprefix(prefix):
                    return path
        return None


def locate_part(path: Place) -> IsicPart:
    """Return the part that a folder holds, or that a one-hot table belongs to.

    Raises:
        DataError: The folder holds the tables of several parts.
    """
    if path.is_file():
        own_folder = _is_truth_name(path.resolve().parent.name)
        root, truths = path.parent.parent if own_folder else path.parent, [path]
    else:
        root, truths = path, find_truths(path)
    if len(truths) > 1:
        raise DataError(
            f"{path} holds several ground truths",
            cause="found " + ", ".join(truth.name for truth in truths),
            remedy=f"Give one of them as the path, for example isic:{truths[0]}",
        )
    truth = truths[0] if truths else None
    return IsicPart(root, truth, image_folders(root, beside=truth.name if truth else ""))


def find_truths(folder: Place) -> list[Place]:
    """Return the tables in a folder that are one-hot, or called ground truth and should be."""
    places = [folder, *(child for child in subfolders(folder) if _is_truth_name(child.name))]
    return [
        path
        for place in places
        for path in tables(place)
        if _is_truth_name(path.name) or is_one_hot(path)
    ]


def is_one_hot(path: Place) -> bool:
    """Say whether a table's header is that of a one-hot table of diagnoses."""
    header = read_header(path)
    return (
        header[:1] == ("image",)
        and len(header) > 2
        and (DIAGNOSES | WEIGHTS).issuperset(header[1:])
    )


def _is_truth_name(name: str) -> bool:
    return "groundtruth" in name.lower()
