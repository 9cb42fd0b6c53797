"""Opening a feature file: its schema, its parts, and whether they fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from featkit.errors import StoreError
from featkit.features._hdf5 import damaged, read_text, reading
from featkit.features._layout import (
    CHECKSUM,
    SCHEMA,
    attributes_sum,
    column_key,
    column_name,
    read_attributes,
)
from featkit.features._shards import shards_of

__all__ = ["COLUMNS", "NONE", "Metadata", "read_column", "read_fields"]

NONE = np.empty(0, dtype="<U1")
"""No text."""

_COLUMNS = ("image_id", "label", "group", "done", "image_hash")
_REQUIRED = ("features", *_COLUMNS, "failures/image_id", "failures/reason")
_ATTRIBUTES = ("classes", "backbone", "preprocessing", "precision", "views", "dataset")


def read_fields(path: Path) -> dict[str, Any]:
    """Return the fields of a FeatureStore but those that `read_column` reads.

    Raises:
        StoreError: The file cannot be read, is no feature file, or is of a newer schema; shards
            that belong to it are missing.
    """
    with reading(path) as file:
        _check_schema(path, file)
        _check_parts(path, file)
        attributes = read_attributes(file)
        missing = [name for name in (*_ATTRIBUTES, "fingerprint") if name not in attributes]
        if missing:
            raise damaged(path, f"the attribute {missing[0]} is missing")
        if attributes.pop(CHECKSUM, None) not in {None, attributes_sum(attributes)}:
            raise damaged(path, "the file is damaged: the checksum of its attributes is wrong")
        failures = file["failures"]
        pairs = zip(read_text(failures["image_id"]), read_text(failures["reason"]), strict=True)
        shape = _shape(file["features"])
        shards = shards_of(path, attributes, shape[0])
        columns = list(file.get("metadata", {}))
        fields = {
            "path": path,
            "attributes": attributes,
            "shape": shape,
            "dtype": file["features"].dtype,
            "failures": {str(image): str(reason) for image, reason in pairs},
            "trained_on": read_text(file["trained_on"]) if "trained_on" in file else NONE,
            "metadata": Metadata(
                path, str(attributes["fingerprint"]), [column_name(key) for key in columns]
            ),
            "features_name": "features",
        }
    if shards is not None:
        shards.check_present()
    return fields


def read_column(path: Path, name: str, *, fingerprint: str) -> Any:
    """Return a column of a feature file.

    Args:
        path: The file.
        name: A field of FeatureStore that is one value a row.
        fingerprint: The file's when it was opened.

    Raises:
        StoreError: The file is damaged, or holds other features by now.
    """
    with _unchanged(path, fingerprint) as file:
        return COLUMNS[name](file)


class Metadata(Mapping[str, NDArray[np.str_]]):
    """Further columns of a feature file, each read at its first use.

    Args:
        path: The file.
        fingerprint: The file's when it was opened.
        names: Of the columns.
    """

    def __init__(self, path: Path, fingerprint: str, names: Sequence[str]) -> None:
        self._path, self._fingerprint, self._names = path, fingerprint, tuple(names)
        self._read: dict[str, NDArray[np.str_]] = {}

    def __getitem__(self, name: str) -> NDArray[np.str_]:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._read:
            with _unchanged(self._path, self._fingerprint) as file:
                self._read[name] = read_text(file["metadata"][column_key(name)])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@contextmanager
def _unchanged(path: Path, fingerprint: str) -> Iterator[h5py.File]:
    with reading(path) as file:
        if file.attrs.get("fingerprint") != fingerprint:
            raise damaged(path, "it has changed since it was opened")
        yield file


COLUMNS: Mapping[str, Callable[[h5py.File], Any]] = MappingProxyType(
    {
        "image_id": lambda file: read_text(file["image_id"]),
        "label": lambda file: file["label"][...].astype(np.int16),
        "group": lambda file: read_text(file["group"]),
        "done": lambda file: file["done"][...].astype(bool),
        "image_hash": lambda file: read_text(file["image_hash"]),
        "split": lambda file: read_text(file["split"]) if "split" in file else None,
    }
)
"""How each column is read, by field of FeatureStore."""


def _shape(features: h5py.Dataset) -> tuple[int, int, int]:
    rows, *views, dimension = features.shape
    return rows, (views[0] if views else 1), dimension


def _check_schema(path: Path, file: h5py.File) -> None:
    found = file.attrs.get("schema")
    if found is None:
        names = ", ".join(sorted(file)[:8]) or "nothing"
        raise StoreError(
            f"{path} is not featkit's own feature file",
            cause=f"it has no schema number; it holds {names}",
            remedy="Give the names of its data sets (from_hdf5), or use `featkit extract`",
        )
    if int(found) > SCHEMA:
        raise StoreError(
            f"cannot read {path}",
            cause=f"a newer featkit wrote it (schema {found}; this one reads up to {SCHEMA})",
            remedy="Update featkit",
        )


def _check_parts(path: Path, file: h5py.File) -> None:
    missing = [name for name in _REQUIRED if name not in file]
    if missing:
        raise damaged(path, f"/{missing[0]} is missing")
    features = file["features"]
    if features.ndim not in (2, 3) or features.dtype.kind != "f":
        raise damaged(path, f"/features is {features.dtype} of {features.ndim} dimensions")
    columns = [*_COLUMNS, *(["split"] if "split" in file else [])]
    columns += [f"metadata/{key}" for key in file.get("metadata", {})]
    for name in columns:
        if file[name].shape != features.shape[:1]:
            raise damaged(path, f"/{name} has {file[name].shape} rows, /features {len(features)}")
