"""The C allocator, told to keep the memory that a network frees after each layer."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["freed_memory_kept"]

# Numbers from glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4

_KEEP = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1}

_USUAL = {_MMAP_MAX: 65_536, _MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 64 << 20}
"""What glibc arrives at by itself in a process with large arrays."""


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep freed memory in this process until the block ends (glibc only; else do nothing).

    glibc returns blocks of tens of megabytes to the system at once, and the next layer's pages
    must be cleared anew, which can take as long as the arithmetic of a small network.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    _set(libc, _KEEP)
    try:
        yield
    finally:
        _set(libc, _USUAL)
        libc.malloc_trim(0)


def _set(libc: ctypes.CDLL, options: dict[int, int]) -> None:
    for option, value in options.items():
        libc.mallopt(option, value)
