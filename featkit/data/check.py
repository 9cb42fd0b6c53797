"""Reading every image once, to find what is wrong with a data set before it costs anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.data.dataset import Dataset
from featkit.data.decoding import ImageError, pixel_hash
from featkit.data.info import ClassRow, class_table
from featkit.data.sources import concurrent_reads
from featkit.progress import NoProgress, Progress

__all__ = ["DatasetCheck", "DuplicateGroup", "check_dataset"]

_WINDOW = 256
"""Images handed to the threads at a time: their futures are all that grows."""

_MISSING = "file not found"


@dataclass(frozen=True)
class DuplicateGroup:
    """Images with the very same pixels.

    Attributes:
        image_id: Their ids, in the Dataset's order.
        lesions: Their distinct lesions.
        classes: Their distinct classes.
    """

    image_id: tuple[str, ...]
    lesions: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def crosses_lesions(self) -> bool:
        """True where one picture is listed under several lesions: a split could separate it."""
        return len(self.lesions) > 1

    @property
    def crosses_classes(self) -> bool:
        """True where one picture has several labels: at least one is wrong."""
        return len(self.classes) > 1

    def to_dict(self) -> dict[str, object]:
        """Return JSON-like values."""
        return {
            "image_id": list(self.image_id),
            "lesions": list(self.lesions),
            "classes": list(self.classes),
        }


@dataclass(frozen=True)
class DatasetCheck:
    """What was found in a Dataset.

    Attributes:
        name: The Dataset's.
        images: Number of rows.
        lesions: Number of distinct groups.
        classes: Counts by class.
        missing: Ids of images whose file is not there.
        unlisted: Files that the data set does not name.
        unreadable: Reason by id of each image that is there and cannot be read.
        sizes: Number of images by (width, height) in pixels, most frequent first.
        duplicates: Images with the same pixels.
        ambiguous_lesions: Classes by lesion, of lesions with several.
    """

    name: str
    images: int
    lesions: int
    classes: tuple[ClassRow, ...]
    missing: tuple[str, ...]
    unlisted: tuple[str, ...]
    unreadable: dict[str, str]
    sizes: dict[tuple[int, int], int]
    duplicates: tuple[DuplicateGroup, ...]
    ambiguous_lesions: dict[str, tuple[str, ...]]

    def to_dict(self) -> dict[str, object]:
        """Return JSON-like values."""
        return {
            "name": self.name,
            "images": self.images,
            "lesions": self.lesions,
            "classes": [row.to_dict() for row in self.classes],
            "missing": list(self.missing),
            "unlisted": list(self.unlisted),
            "unreadable": dict(self.unreadable),
            "sizes": [
                {"width": width, "height": height, "images": images}
                for (width, height), images in self.sizes.items()
            ],
            "duplicates": [group.to_dict() for group in self.duplicates],
            "ambiguous_lesions": {
                lesion: list(classes) for lesion, classes in self.ambiguous_lesions.items()
            },
        }


@dataclass(frozen=True)
class _Look:
    """One image read: its size and pixels' hash, or the reason why not."""

    size: tuple[int, int] = (0, 0)
    digest: str = ""
    reason: str = ""


def check_dataset(
    dataset: Dataset, *, workers: int | None = None, progress: Progress | None = None
) -> DatasetCheck:
    """Read every image of a Dataset and report what is wrong or worth knowing.

    Args:
        dataset: What to check.
        workers: Threads that read and decode; None = as many as Python thinks fit, or as remote
            stores need.
        progress: Who listens.
    """
    progress = progress or NoProgress()
    digests = np.zeros(len(dataset), dtype="S32")
    sizes: Counter[tuple[int, int]] = Counter()
    failures: dict[str, str] = {}
    progress.start("check", total=len(dataset), unit="images")
    for row, look in enumerate(_looks(dataset, workers)):
        if look.reason:
            failures[str(dataset.image_id[row])] = look.reason
        else:
            digests[row] = look.digest
            sizes[look.size] += 1
        progress.advance(1)
    progress.finish()
    return DatasetCheck(
        name=dataset.name,
        images=len(dataset),
        lesions=len(np.unique(dataset.group)),
        classes=class_table(dataset),
        missing=tuple(name for name, reason in failures.items() if reason == _MISSING),
        unlisted=dataset.unlisted,
        unreadable={name: why for name, why in failures.items() if why != _MISSING},
        sizes=dict(sizes.most_common()),
        duplicates=tuple(_duplicates(dataset, digests)),
        ambiguous_lesions=_ambiguous_lesions(dataset),
    )


def _looks(dataset: Dataset, workers: int | None) -> Iterator[_Look]:
    def look(row: int) -> _Look:
        try:
            image = dataset.images.read(row)
        except ImageError as error:
            return _Look(reason=error.reason)
        return _Look(size=image.size, digest=pixel_hash(image))

    waiting = concurrent_reads(dataset.images)
    if workers is None and waiting > 1:
        workers = waiting
    pool = ThreadPoolExecutor(workers)
    try:
        for start in range(0, len(dataset), _WINDOW):
            yield from pool.map(look, range(start, min(start + _WINDOW, len(dataset))))
    finally:
        pool.shutdown(cancel_futures=True)


def _duplicates(dataset: Dataset, digests: NDArray[np.bytes_]) -> Iterator[DuplicateGroup]:
    values, member, count = np.unique(digests, return_inverse=True, return_counts=True)
    repeated = np.flatnonzero((count[member] > 1) & (values[member] != b""))
    members: dict[int, list[int]] = {}
    for row in repeated.tolist():
        members.setdefault(int(member[row]), []).append(row)
    for rows in members.values():
        yield DuplicateGroup(
            image_id=tuple(dataset.image_id[rows].tolist()),
            lesions=tuple(np.unique(dataset.group[rows]).tolist()),
            classes=_classes(dataset, rows),
        )


def _ambiguous_lesions(dataset: Dataset) -> dict[str, tuple[str, ...]]:
    rows = np.flatnonzero(dataset.label >= 0)
    names, lesion = np.unique(dataset.group[rows], return_inverse=True)
    classes: dict[int, set[int]] = {}
    for number, label in zip(lesion.tolist(), dataset.label[rows].tolist(), strict=True):
        classes.setdefault(number, set()).add(label)
    return {
        str(names[number]): tuple(dataset.classes[label] for label in sorted(labels))
        for number, labels in sorted(classes.items())
        if len(labels) > 1
    }


def _classes(dataset: Dataset, rows: list[int]) -> tuple[str, ...]:
    labels = np.unique(dataset.label[rows])
    return tuple(dataset.classes[label] for label in labels if label >= 0)
