"""What readers call a path: one on disk, or one in a remote store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeGuard

from featkit.data.places.remote import RemotePath

__all__ = ["Place", "as_place", "is_url", "is_web"]

Place = Path | RemotePath
"""A file or folder. Readers use what both have in common."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://.+")


def is_url(path: object) -> TypeGuard[str]:
    """Say whether a path is a text with a scheme, as `s3://bucket/folder`."""
    return isinstance(path, str) and _URL.fullmatch(path) is not None


def is_web(place: Place) -> bool:
    """Say whether a place lies on a web server, which may list nothing."""
    return str(place).startswith(("http://", "https://"))


def as_place(path: str | Place) -> Place:
    """Return the place of a local path or URL; a place is itself."""
    if not isinstance(path, str):
        return path
    if path.startswith("file://"):
        return Path(path.removeprefix("file://"))
    return RemotePath(path) if is_url(path) else Path(path)
