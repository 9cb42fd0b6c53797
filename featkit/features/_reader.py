"""Opening a feature file: its schema, its parts, and whether they fit together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from featkit.errors import StoreError
from featkit.features._hdf5 import damaged, read_text, reading
from featkit.features._layout import (
    CHECKSUM,
    SCHEMA,
    attributes_sum,
    column_name,
    read_attributes,
)

__all__ = ["NONE", "read_fields"]

NONE = np.empty(0, dtype="<U1")
"""No text."""

_COLUMNS = ("image_id", "label", "group", "done", "pixel_hash")
_REQUIRED = ("features", *_COLUMNS, "failures/image_id", "failures/reason")
_ATTRIBUTES = ("classes", "backbone", "preprocessing", "precision", "views", "dataset")


def read_fields(path: Path) -> dict[str, Any]:
    """Return the keyword arguments of a FeatureStore, everything but the features themselves.

    Raises:
        StoreError: The file cannot be read, is no feature file, or is of a newer schema.
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
        return {
            "path": path,
            "attributes": attributes,
            "shape": _shape(file["features"]),
            "dtype": file["features"].dtype,
            "image_id": read_text(file["image_id"]),
            "label": file["label"][...].astype(np.int16),
            "group": read_text(file["group"]),
            "done": file["done"][...].astype(bool),
            "pixel_hash": read_text(file["pixel_hash"]),
            "split": read_text(file["split"]) if "split" in file else None,
            "trained_on": read_text(file["trained_on"]) if "trained_on" in file else NONE,
            "failures": {str(image): str(reason) for image, reason in pairs},
            "metadata": {
                column_name(key): read_text(column)
                for key, column in file.get("metadata", {}).items()
            },
        }


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
