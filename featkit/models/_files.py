"""The files of a model's folder: which there may be, how large, and whether they are as written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from featkit.errors import ModelError

__all__ = ["MODEL", "checked", "damaged", "listing", "read"]

MODEL = "model.json"
"""Says what the others are."""

_MIB = 1 << 20

_MOST: Mapping[str, int] = MappingProxyType(
    {
        MODEL: 4 * _MIB,
        "README.md": _MIB,
        "head.safetensors": 1024 * _MIB,
        "head.txt": 256 * _MIB,
        "cases.csv": 1024 * _MIB,
        "cases.safetensors": 16384 * _MIB,
        "network/config.json": _MIB,
        "network/featkit.json": 1024 * _MIB,
        "network/model.safetensors": 65536 * _MIB,
    }
)
"""All files that a folder may have, and how many bytes each, at most."""


def listing(folder: Path) -> dict[str, dict[str, object]]:
    """Return size and SHA-256 of every file of a folder but `model.json`."""
    found = {}
    for name in _MOST:
        path = folder / name
        if name != MODEL and path.is_file():
            found[name] = {"bytes": path.stat().st_size, "sha256": _sha256(path)}
    return found


def checked(folder: Path, listed: object) -> frozenset[str]:
    """Return which files there are, each as it was when the model was written.

    Args:
        folder: The model.
        listed: What `listing` returned then.

    Raises:
        ModelError: A file is missing, strange, too large, or has been changed.
    """
    if not isinstance(listed, Mapping):
        raise damaged(folder, f"{MODEL} lists no files")
    for name, facts in listed.items():
        if name not in _MOST or name == MODEL:
            raise damaged(folder, f"{MODEL} lists {name!r}, which no model has")
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise damaged(folder, f"{name} is missing")
        size = path.stat().st_size
        if size > _MOST[name]:
            raise damaged(folder, f"{name} has {size:,} bytes, more than any model")
        if facts != {"bytes": size, "sha256": _sha256(path)}:
            raise damaged(folder, f"{name} is not what was written")
    return frozenset(listed)


def read(folder: Path, name: str) -> bytes:
    """Return a file's content.

    Raises:
        ModelError: It is missing or too large.
    """
    path = folder / name
    try:
        with path.open("rb") as file:
            content = file.read(_MOST[name] + 1)
    except OSError as error:
        raise damaged(folder, f"{name} cannot be read ({error.strerror})") from error
    if len(content) > _MOST[name]:
        raise damaged(folder, f"{name} has more than {_MOST[name]:,} bytes")
    return content


def damaged(folder: Path, cause: str) -> ModelError:
    """Return the error for a folder that is no whole model."""
    return ModelError(
        f"cannot load the model {folder}",
        cause=cause,
        remedy="Fetch the folder again, or make it again with `featkit export`",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
