"""Image files held in memory: a few of a data set, for whoever cannot read them where they lie."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from featkit.data.decoding import ImageError
from featkit.data.sources import EncodedImages

__all__ = ["HeldImages"]


class HeldImages(EncodedImages):
    """Image files in memory.

    Args:
        files: Their content, or why one could not be read.
    """

    def __init__(self, files: Sequence[bytes | ImageError]) -> None:
        self._files = tuple(files)

    @classmethod
    def of(cls, images: EncodedImages) -> HeldImages:
        """Return the images of a source, read now."""
        return cls([_content(images, row) for row in range(len(images))])

    def __len__(self) -> int:
        return len(self._files)

    def data(self, row: int) -> bytes:
        """Return the file's content.

        Raises:
            ImageError: It could not be read.
        """
        content = self._files[row]
        if isinstance(content, ImageError):
            raise content
        return content

    def signature(self, row: int) -> str:
        """Return a checksum of the content, "" where there is none."""
        content = self._files[row]
        return "" if isinstance(content, ImageError) else f"{zlib.crc32(content):08x}"

    def select(self, rows: NDArray[np.intp]) -> HeldImages:
        """Return the source of these rows only, in this order."""
        return HeldImages([self._files[row] for row in rows])


def _content(images: EncodedImages, row: int) -> bytes | ImageError:
    try:
        return images.data(row)
    except ImageError as error:
        return error
