"""What a store says of one of its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Entry"]

_CHECKSUMS = (
    "ETag",
    "etag",
    "md5Hash",
    "content_md5",
    "blob_id",
    "Last-Modified",
    "last_modified",
    "mtime",
)
"""Where the stores' listings say what a file's content is, the surest first."""


class Entry(NamedTuple):
    """A remote file as its store lists it.

    Attributes:
        size: In bytes; None where the store does not say.
        token: Changes when the file does: size and the store's own checksum; "" where unknown.
    """

    size: int | None
    token: str

    @classmethod
    def from_info(cls, info: Mapping[str, Any]) -> Entry:
        """Return the entry of one of fsspec's descriptions of a file."""
        size = info.get("size")
        found = next((str(info[name]) for name in _CHECKSUMS if info.get(name)), "")
        checksum = found.removeprefix("W/").strip('"')
        return cls(size, "-".join(str(part) for part in (size, checksum) if part not in (None, "")))
