"""What a Dataset holds, class by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from featkit.data.dataset import Dataset

__all__ = ["ClassRow", "class_table"]


@dataclass(frozen=True)
class ClassRow:
    """One class of a Dataset.

    Attributes:
        name: The class, or `(no label)`.
        images: Number of images.
        lesions: Number of lesions that have an image of this class.
        share: Of all images, from 0 to 1.
    """

    name: str
    images: int
    lesions: int
    share: float

    @property
    def images_per_lesion(self) -> float:
        """Mean number of images of a lesion; 0 for a class without any."""
        return self.images / max(self.lesions, 1)

    def to_dict(self) -> dict[str, object]:
        """Return JSON-like values."""
        return {
            "name": self.name,
            "images": self.images,
            "lesions": self.lesions,
            "share": self.share,
            "images_per_lesion": self.images_per_lesion,
        }


def class_table(dataset: Dataset) -> tuple[ClassRow, ...]:
    """Return a row for each class in order, and a last one for unlabelled images if there are."""
    rows = [_row(dataset, name, label) for label, name in enumerate(dataset.classes)]
    unlabelled = _row(dataset, "(no label)", -1)
    return (*rows, unlabelled) if unlabelled.images else tuple(rows)


def _row(dataset: Dataset, name: str, label: int) -> ClassRow:
    rows = dataset.label == label
    images = int(np.count_nonzero(rows))
    lesions = len(np.unique(dataset.group[rows]))
    return ClassRow(name, images, lesions, images / max(len(dataset), 1))
