"""Where pixels come from: files on disk, or an array in memory."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from featkit.data.decoding import ImageError, decode_image

__all__ = ["ArrayImages", "FileImages"]

_SAMPLE = 16_384
"""Bytes in each of the three places that a large file's checksum takes."""


class FileImages:
    """Images in files, decoded when they are read.

    Args:
        paths: A path for each row; None where the file is missing.
    """

    def __init__(self, paths: Sequence[str | os.PathLike[str] | None]) -> None:
        self.paths = tuple(paths)

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, row: int) -> Image.Image:
        """Return the decoded image.

        Raises:
            ImageError: The file is missing, not readable or not a whole image.
        """
        path = self.paths[row]
        if path is None:
            raise ImageError("file not found")
        try:
            data = Path(path).read_bytes()
        except FileNotFoundError:
            raise ImageError("file not found") from None
        except OSError as error:
            raise ImageError(f"cannot be opened ({error.strerror})") from error
        return decode_image(data)

    def signature(self, row: int) -> str:
        """Return size and checksum of a file, "" where there is none.

        Of a large file the checksum takes the beginning, the middle and the end: reading a
        million images whole, only to know them again, would cost as much as their features.
        """
        path = self.paths[row]
        try:
            return "" if path is None else _signature(path)
        except OSError:
            return ""

    def select(self, rows: NDArray[np.intp]) -> FileImages:
        """Return the source of these rows only, in this order."""
        return FileImages([self.paths[row] for row in rows])


def _signature(path: str | os.PathLike[str]) -> str:
    with Path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size <= 3 * _SAMPLE:
            checksum = zlib.crc32(file.read())
        else:
            checksum = 0
            for start in (0, (size - _SAMPLE) // 2, size - _SAMPLE):
                file.seek(start)
                checksum = zlib.crc32(file.read(_SAMPLE), checksum)
    return f"{size}-{checksum:08x}"


class ArrayImages:
    """Images of one size in memory.

    Args:
        array: Pixels, uint8, shape (N, H, W) for grey or (N, H, W, 3) for RGB.
    """

    def __init__(self, array: NDArray[np.uint8]) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def read(self, row: int) -> Image.Image:
        """Return the image in RGB."""
        return Image.fromarray(self.array[row]).convert("RGB")

    def signature(self, row: int) -> str:
        """Return a checksum of the image's pixels."""
        return f"{zlib.crc32(self.array[row].tobytes()):08x}"

    def select(self, rows: NDArray[np.intp]) -> ArrayImages:
        """Return the source of these rows only, in this order."""
        return ArrayImages(self.array[rows])
