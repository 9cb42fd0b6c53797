"""A remote file read piece by piece, as an ordinary binary file."""

from __future__ import annotations

import io
from collections.abc import Callable

__all__ = ["RangeFile"]

_SMALLEST, _LARGEST = 1 << 16, 1 << 23


class RangeFile(io.RawIOBase):
    """Fetches a piece when one is needed, twice as long a one where reading goes on nearby.

    So a header costs one small request, a whole file few large ones, and a walk over small members
    of an archive no more requests than reading it whole.

    Args:
        fetch: Returns the bytes from a first to before a last.
        size: Of the file in bytes.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        self._fetch = fetch
        self._size = size
        self._position = 0
        self._start = 0
        self._piece = b""
        self._length = _SMALLEST

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, counted from the start, from here or from the end."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as the piece at hand goes, and return the number of bytes."""
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        end = self._start + len(self._piece)
        if not self._start <= self._position < end:
            goes_on = 0 < end <= self._position < end + self._length
            self._length = min(2 * self._length, _LARGEST) if goes_on else _SMALLEST
            last = min(self._size, self._position + max(wanted, self._length))
            self._piece = self._fetch(self._position, last)
            self._start = self._position
        offset = self._position - self._start
        data = self._piece[offset : offset + wanted]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
