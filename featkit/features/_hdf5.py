"""HDF5 without surprises: damage and full disks become errors that name the file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from featkit.errors import StoreError

__all__ = ["damaged", "encode_text", "read_text", "reading", "writing"]


@contextmanager
def reading(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading; whatever HDF5 raises inside the block names the file.

    Raises:
        StoreError: There is no such file, it is not HDF5, it was cut short, or it is damaged.
    """
    if not path.is_file():
        cause = "it is a folder" if path.is_dir() else "there is no such file"
        raise StoreError(
            f"cannot open {path}", cause=cause, remedy="Make it with `featkit extract`"
        )
    try:
        with h5py.File(path, "r", locking="best-effort") as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise damaged(path, _cause(str(error))) from error


def damaged(path: Path, cause: str) -> StoreError:
    """Return the error for a file that cannot be trusted."""
    return StoreError(
        f"cannot read {path}", cause=cause, remedy="Copy the file again, or extract it again"
    )


def _cause(message: str) -> str:
    known = {
        "truncated file": "the file was cut short",
        "file signature not found": "it is not an HDF5 file",
        "filter returned failure": "the file is damaged: a checksum is wrong",
        "ermission denied": "no permission to read it",
    }
    for words, cause in known.items():
        if words in message:
            return cause
    return f"the file is damaged ({' '.join(message.split())[:120]})"


class _ForgivingFile(io.FileIO):
    """Keeps the first failed write to itself.

    HDF5 crashes the whole process, at once or at exit, when a write fails under it. So it never
    learns of it: after the first failure writes go nowhere, and `check` raises the error.
    """

    error: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write all of the bytes, or none from the first failure on."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        try:
            while self.error is None and len(rest):
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size: int | None = None, /) -> int:
        """Set the file's size, or do nothing where that fails."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0

    def check(self) -> None:
        """Raise the first failure, if there was one."""
        if self.error is not None:
            raise self.error


@contextmanager
def writing(path: Path) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """Open a new HDF5 file, with a function to call after each large write.

    Yields:
        The file, and a function that raises the OSError of the first failed write.
    """
    with _ForgivingFile(path, "w+") as handle:
        with h5py.File(handle, "w", libver=("v110", "v110")) as file:
            yield file, handle.check
        handle.check()


def encode_text(values: Sequence[str] | NDArray[np.str_]) -> NDArray[np.bytes_]:
    """Return the strings as fixed-length UTF-8, which HDF5 can checksum (unlike free lengths)."""
    encoded = [str(value).encode("utf-8", "surrogateescape") for value in values]
    length = max([1, *map(len, encoded)])
    return np.array(encoded, dtype=h5py.string_dtype("utf-8", length))


def read_text(dataset: h5py.Dataset) -> NDArray[np.str_]:
    """Return a dataset of strings (of fixed or free length) as a NumPy array of str."""
    values = dataset[...]
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8", "surrogateescape")
    texts = [
        item.decode("utf-8", "surrogateescape") if isinstance(item, bytes) else str(item)
        for item in values.ravel()
    ]
    return np.array(texts, dtype=np.str_).reshape(values.shape)
