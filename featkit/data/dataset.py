"""Dataset: an ordered table of images with id, source, label, group and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from featkit.data.sources import concurrent_reads
from featkit.fingerprints import fingerprint

__all__ = ["Dataset", "ImageSource"]

_ASKED = 1024
"""Signatures that a thread asks for in a row, at most."""


class ImageSource(Protocol):
    """Where a Dataset's pixels come from. Safe to call from several threads, and picklable."""

    def __len__(self) -> int: ...

    def read(self, row: int) -> Image.Image:
        """Return the image in RGB, upright, 8 bits a channel, at its original size.

        Raises:
            ImageError: The image cannot be read; its reason goes into the ledger of failures.
        """

    def signature(self, row: int) -> str:
        """Return a cheap token that changes when the image does (size and checksum)."""

    def select(self, rows: NDArray[np.intp]) -> ImageSource:
        """Return the source of these rows only, in this order."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """An ordered table of N images.

    Attributes:
        name: `KIND:folder`, for people; never an absolute path.
        images: The pixels.
        image_id: Distinct ids, shape (N,).
        label: Index into `classes`, -1 = none, shape (N,), int16.
        group: What must stay together (a lesion), shape (N,).
        classes: The classes' names.
        metadata: Further columns, each of shape (N,), as text ("" = missing).
        split: The data set's official split ("train", "val", "test"), shape (N,), or None.
        unlisted: Image files that the folder holds and the table does not name.
        origin: Words by which the command line reads it, where it was read from somewhere.
    """

    name: str
    images: ImageSource
    image_id: NDArray[np.str_]
    label: NDArray[np.int16]
    group: NDArray[np.str_]
    classes: tuple[str, ...]
    metadata: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    split: NDArray[np.str_] | None = None
    unlisted: tuple[str, ...] = ()
    origin: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.image_id)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over ids, labels, groups, classes, official split and images' signatures."""
        split = [] if self.split is None else [str(part) for part in self.split]
        return fingerprint(
            self.image_id,
            self.label,
            self.group,
            list(self.classes),
            split,
            _signatures(self.images),
        )

    def select(self, rows: NDArray[np.intp]) -> Dataset:
        """Return the Dataset of these rows only, in this order."""
        return replace(
            self,
            images=self.images.select(rows),
            image_id=self.image_id[rows],
            label=self.label[rows],
            group=self.group[rows],
            metadata={name: column[rows] for name, column in self.metadata.items()},
            split=None if self.split is None else self.split[rows],
        )


def _signatures(images: ImageSource) -> list[str]:
    """Return each row's signature, several asked for at once where a store is waited for."""
    threads = concurrent_reads(images)
    if threads == 1:
        return [images.signature(row) for row in range(len(images))]
    share = max(1, min(_ASKED, len(images) // (4 * threads)))
    starts = range(0, len(images), share)

    def some(start: int) -> list[str]:
        return [images.signature(row) for row in range(start, min(start + share, len(images)))]

    with ThreadPoolExecutor(threads) as pool:
        return [signature for part in pool.map(some, starts) for signature in part]
