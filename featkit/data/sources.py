"""Where pixels come from: files on disk or in a remote store, or an array in memory."""

from __future__ import annotations

import errno
import os
import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from featkit.data.decoding import ImageError, decode_image
from featkit.data.places import CONCURRENT_READS, RemoteError, entry_of, fetch, is_url
from featkit.errors import DataError

__all__ = ["ArrayImages", "EncodedImages", "FileImages", "concurrent_reads", "range_signature"]

_SAMPLE = 16_384
"""Bytes in each of the three places that a large file's checksum takes."""


class EncodedImages(ABC):
    """Images that lie somewhere as image files: fetching the bytes is apart from decoding them."""

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    def concurrent_reads(self) -> int:
        """How many calls of `data` to have in flight at once; 1 where reading does not wait."""
        return 1

    @abstractmethod
    def data(self, row: int) -> bytes:
        """Return the image file's content, as it is.

        Raises:
            ImageError: It is missing or cannot be read; retried before where that may help.
        """

    def read(self, row: int) -> Image.Image:
        """Return the decoded image.

        Raises:
            ImageError: The file is missing, not readable or not a whole image.
        """
        return decode_image(self.data(row))

    @abstractmethod
    def signature(self, row: int) -> str:
        """Return a cheap token that changes when the image does, "" where there is none."""

    @abstractmethod
    def select(self, rows: NDArray[np.intp]) -> EncodedImages:
        """Return the source of these rows only, in this order."""


def concurrent_reads(images: object) -> int:
    """Return how many images of any source to read at once; 1 where reading does not wait."""
    return images.concurrent_reads if isinstance(images, EncodedImages) else 1


class FileImages(EncodedImages):
    """Images in files, on disk or by URL.

    Args:
        paths: A path or URL for each row; None where the file is missing.
        tokens: What a store's listing says of each row's content (see `Entry`), "" where it is
            to be asked; of use for URLs only.
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str] | None],
        *,
        tokens: Sequence[str] | None = None,
    ) -> None:
        self.paths = tuple(paths)
        self.tokens = tuple(tokens) if tokens is not None else ("",) * len(self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def concurrent_reads(self) -> int:
        """1 for files on disk; with URLs so many that their latency is hidden."""
        return CONCURRENT_READS if any(map(is_url, self.paths)) else 1

    def data(self, row: int) -> bytes:
        """Return the file's content.

        Raises:
            ImageError: The file is missing or not readable.
        """
        path = self.paths[row]
        if path is None:
            raise ImageError("file not found")
        try:
            return fetch(path) if is_url(path) else Path(path).read_bytes()
        except FileNotFoundError:
            raise ImageError("file not found") from None
        except RemoteError as error:
            raise ImageError(str(error.strerror)) from error
        except OSError as error:
            raise ImageError(f"cannot be opened ({error.strerror})") from error

    def signature(self, row: int) -> str:
        """Return size and checksum of a file, "" where there is none.

        Of a large file the checksum takes the beginning, the middle and the end: reading a
        million images whole, only to know them again, would cost as much as their features.
        Of a remote file it is the store's own (an ETag in most): the same images on disk have
        other signatures.

        Raises:
            DataError: A store does not answer.
        """
        path = self.paths[row]
        try:
            if is_url(path):
                return self.tokens[row] or entry_of(path).token
            return "" if path is None else _signature(path)
        except OSError as error:
            if isinstance(error, RemoteError) and error.errno == errno.EIO:
                raise _unanswered(error) from error
            return ""

    def select(self, rows: NDArray[np.intp]) -> FileImages:
        """Return the source of these rows only, in this order."""
        return FileImages(
            [self.paths[row] for row in rows], tokens=[self.tokens[row] for row in rows]
        )


def _unanswered(error: RemoteError) -> DataError:
    return DataError(
        f"cannot tell which images {error.filename} and others are",
        cause=f"the store does not answer: {error.strerror}",
        remedy="Give the same command again later",
    )


def _signature(path: str | os.PathLike[str]) -> str:
    with Path(path).open("rb") as file:
        return range_signature(file, 0, os.fstat(file.fileno()).st_size)


def range_signature(file: BinaryIO, offset: int, size: int) -> str:
    """Return size and checksum of a part of a file; of a large one only of three samples."""
    whole = size <= 3 * _SAMPLE
    length = size if whole else _SAMPLE
    checksum = 0
    for start in (0,) if whole else (0, (size - _SAMPLE) // 2, size - _SAMPLE):
        file.seek(offset + start)
        checksum = zlib.crc32(file.read(length), checksum)
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
