"""Features that other programs made: any HDF5 file with (N, D) numbers and N labels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from featkit.errors import StoreError
from featkit.features._hdf5 import read_text, reading
from featkit.features._layout import SCHEMA
from featkit.fingerprints import fingerprint

__all__ = ["read_foreign_fields"]

_BLOCK = 1024
_LABELS_AT_MOST = 32_767


def read_foreign_fields(
    path: Path,
    *,
    features: str,
    label: str,
    image_id: str | None,
    group: str | None,
    classes: Sequence[str] | None,
    backbone: str | None,
) -> dict[str, Any]:
    """Return the keyword arguments of a FeatureStore for a file of another program's making.

    Raises:
        StoreError: The file cannot be read, or a data set is missing or does not fit.
    """
    with reading(path) as file:
        stored = _find(path, file, features)
        if stored.ndim != 2 or stored.dtype.kind not in "fiu" or 0 in stored.shape:
            raise _unfit(path, features, f"it is {stored.dtype} {stored.shape}, not numbers (N, D)")
        rows, dimension = stored.shape
        labels, names = _labels(path, label, _column(path, file, label, rows), classes)
        identity = _texts(path, file, image_id, rows)
        ids = np.arange(rows).astype(np.str_) if identity is None else identity
        if len(np.unique(ids)) != rows:
            raise _unfit(path, str(image_id), "its ids are not distinct")
        groups = _texts(path, file, group, rows)
        done = _finite_rows(stored)
        dtype = stored.dtype
    content = _sha256(path)
    name = backbone or path.stem
    return {
        "path": path,
        "attributes": {
            "schema": SCHEMA,
            "classes": names,
            "backbone": {
                "spec": f"hdf5:{name}",
                "architecture": name,
                "weights_sha256": "",
                "dimension": dimension,
                "pooling": "default",
                "parameters": 0,
                "random_weights": False,
                "fingerprint": fingerprint("hdf5", name, dimension),
            },
            "preprocessing": {},
            "precision": str(dtype),
            "views": 1,
            "dataset": {"name": path.name, "size": rows, "fingerprint": content},
            "fingerprint": fingerprint("hdf5", content, features, label, image_id, group, names),
        },
        "shape": (rows, 1, dimension),
        "dtype": dtype,
        "image_id": ids,
        "label": labels,
        "group": ids if groups is None else groups,
        "done": done,
        "image_hash": np.full(rows, ""),
        "split": None,
        "failures": {str(image): "the features are not finite" for image in ids[~done]},
        "metadata": {},
        "features_name": features,
    }


def _find(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    found = file.get(name)
    if isinstance(found, h5py.Dataset):
        return found
    there = ", ".join(f"{item} {shape}" for item, shape in _listing(file)) or "none"
    raise StoreError(
        f"{path} has no data set {name!r}",
        cause=f"its data sets are: {there}",
        remedy="Name one of these",
    )


def _listing(group: h5py.Group, prefix: str = "") -> Iterator[tuple[str, tuple[int, ...]]]:
    for key, item in group.items():
        if isinstance(item, h5py.Dataset):
            yield prefix + key, item.shape
        elif item is not None:  # a link that leads nowhere
            yield from _listing(item, f"{prefix}{key}/")


def _column(path: Path, file: h5py.File, name: str, rows: int) -> NDArray[Any]:
    stored = _find(path, file, name)
    if stored.size != rows or max(stored.shape, default=0) != rows:
        raise _unfit(path, name, f"its shape is {stored.shape}, but there are {rows} features")
    if stored.dtype.kind in "SO":
        return read_text(stored).ravel()
    values: NDArray[Any] = stored[...].ravel()
    return values


def _texts(path: Path, file: h5py.File, name: str | None, rows: int) -> NDArray[np.str_] | None:
    return None if name is None else _column(path, file, name, rows).astype(np.str_)


def _labels(
    path: Path, name: str, values: NDArray[Any], classes: Sequence[str] | None
) -> tuple[NDArray[np.int16], list[str]]:
    """Return labels as indices, and the classes' names."""
    if values.dtype.kind not in "iuU":
        raise _unfit(path, name, f"its labels are {values.dtype}, neither integers nor text")
    text = values.dtype.kind == "U"
    none = values == "" if text else values < 0
    if text or classes is None:
        known = np.unique(values[~none]) if classes is None else np.array(classes, dtype=np.str_)
    else:
        known = np.arange(len(classes))
    unknown = values[~none & ~np.isin(values, known)]
    if len(unknown):
        raise _unfit(path, name, f"label {unknown[0]} is outside the classes {list(classes or [])}")
    if not 0 < len(known) <= _LABELS_AT_MOST:
        raise _unfit(path, name, f"it has {len(known)} different labels")
    labels = np.full(len(values), -1, dtype=np.int16)
    for index, value in enumerate(known):
        labels[values == value] = index
    return labels, [str(value) for value in (known if classes is None else classes)]


def _finite_rows(stored: h5py.Dataset) -> NDArray[np.bool_]:
    blocks = range(0, len(stored), _BLOCK)
    with np.errstate(over="ignore"):
        return np.concatenate(
            [
                np.isfinite(stored[start : start + _BLOCK].astype(np.float32)).all(axis=1)
                for start in blocks
            ]
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _unfit(path: Path, name: str, cause: str) -> StoreError:
    return StoreError(
        f"{path}: data set {name!r} does not fit", cause=cause, remedy="Name another data set"
    )
