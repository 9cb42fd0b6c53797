"""Image files inside tar shards, read by their place in them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featkit.data.decoding import ImageError
from featkit.data.places import CONCURRENT_READS, RemoteError, fetch, is_url
from featkit.data.sources import EncodedImages, range_signature

__all__ = ["ShardImages"]


class ShardImages(EncodedImages):
    """Images in tar shards, on disk or by URL, any of them read by itself.

    Args:
        shards: Path or URL of each shard.
        tokens: What changes when a remote shard does (see `Entry`), for each.
        shard: Each row's shard, an index, shape (N,).
        offset: First byte of each image file in its shard, shape (N,); -1 where it is missing.
        size: Of each image file in bytes, shape (N,).
    """

    def __init__(
        self,
        shards: Sequence[str],
        *,
        tokens: Sequence[str],
        shard: NDArray[np.int32],
        offset: NDArray[np.int64],
        size: NDArray[np.int64],
    ) -> None:
        self.shards = tuple(shards)
        self.tokens = tuple(tokens)
        self.shard = shard
        self.offset = offset
        self.size = size

    def __len__(self) -> int:
        return len(self.shard)

    @cached_property
    def concurrent_reads(self) -> int:
        """1 for shards on disk; with URLs so many that their latency is hidden."""
        return CONCURRENT_READS if any(map(is_url, self.shards)) else 1

    def data(self, row: int) -> bytes:
        """Return the image file's content.

        Raises:
            ImageError: It is missing, or the shard cannot be read.
        """
        path, offset, size = self._at(row)
        if offset < 0:
            raise ImageError("file not found")
        try:
            if is_url(path):
                return fetch(path, offset, offset + size)
            with Path(path).open("rb") as file:
                return os.pread(file.fileno(), size, offset)
        except FileNotFoundError:
            raise ImageError("shard not found") from None
        except RemoteError as error:
            raise ImageError(str(error.strerror)) from error
        except OSError as error:
            raise ImageError(f"shard cannot be opened ({error.strerror})") from error

    def signature(self, row: int) -> str:
        """Return size and checksum of the image, as of a file on disk; "" where it is missing.

        In a remote shard it is the shard's own token and the place in it.
        """
        path, offset, size = self._at(row)
        if offset < 0:
            return ""
        if is_url(path):
            return f"{self.tokens[self.shard[row]]}:{offset}+{size}"
        try:
            with Path(path).open("rb") as file:
                return range_signature(file, offset, size)
        except OSError:
            return ""

    def select(self, rows: NDArray[np.intp]) -> ShardImages:
        """Return the source of these rows only, in this order."""
        return ShardImages(
            self.shards,
            tokens=self.tokens,
            shard=self.shard[rows],
            offset=self.offset[rows],
            size=self.size[rows],
        )

    def _at(self, row: int) -> tuple[str, int, int]:
        return self.shards[self.shard[row]], int(self.offset[row]), int(self.size[row])
