"""The feature file's layout, schema 1: names, attributes and chunks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import h5py

from featkit.fingerprints import fingerprint

__all__ = [
    "CHECKSUM",
    "SCHEMA",
    "attributes_sum",
    "chunk_rows",
    "column_key",
    "column_name",
    "read_attributes",
    "write_attributes",
]

SCHEMA = 1
"""Raise when an older featkit would misread the file; keep a reader of the retired version."""

CHECKSUM = "checksum"
"""Attribute with the sum of all others, which HDF5 itself does not check. Old files lack it."""

_PLAIN = {"schema", "precision", "runtime", "views", "device", "created", "fingerprint", CHECKSUM}
"""Attributes that are text or a number as they stand; the others are JSON."""

_CHUNK_BYTES = 1 << 19
"""A chunk is what is read and checksummed at once."""


def write_attributes(file: h5py.File, attributes: Mapping[str, Any]) -> None:
    """Write the attributes of a feature file, and their sum."""
    summed = {**attributes, CHECKSUM: attributes_sum(attributes)}
    for name, value in summed.items():
        file.attrs[name] = value if name in _PLAIN else json.dumps(value)


def attributes_sum(attributes: Mapping[str, Any]) -> str:
    """Return the SHA-256 over all attributes but the sum itself."""
    return fingerprint({name: attributes[name] for name in attributes if name != CHECKSUM})


def read_attributes(file: h5py.File) -> dict[str, Any]:
    """Return the attributes of a feature file as Python values.

    Raises:
        ValueError: An attribute is not JSON.
    """
    found: dict[str, Any] = {}
    for name, value in file.attrs.items():
        if name not in _PLAIN:
            found[name] = json.loads(value)
        else:
            found[name] = value if isinstance(value, str) else int(value)
    return found


def chunk_rows(rows: int, row_bytes: int) -> int:
    """Return how many rows make a chunk."""
    return max(1, min(rows, _CHUNK_BYTES // row_bytes))


def column_key(name: str) -> str:
    """Return the HDF5 name of a metadata column (`/` would make groups, "" and "." are taken)."""
    quoted = name.replace("%", "%25").replace("/", "%2F").replace("\0", "%00")
    return {"": "%", ".": "%2E"}.get(quoted, quoted)


def column_name(key: str) -> str:
    """Return the metadata column of an HDF5 name."""
    if key == "%":
        return ""
    quoted = key.replace("%2E", ".").replace("%2F", "/").replace("%00", "\0")
    return quoted.replace("%25", "%")
