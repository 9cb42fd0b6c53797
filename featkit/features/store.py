"""FeatureStore: the features of one data set through one backbone, in an HDF5 file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from featkit.features._foreign import read_foreign_fields
from featkit.features._hdf5 import damaged
from featkit.features._place import BLOCK, Place
from featkit.features._reader import COLUMNS, NONE, read_column, read_fields
from featkit.features._shards import shards_of
from featkit.naming import backbone_name

if TYPE_CHECKING:
    import pandas as pd
    import torch

__all__ = ["FeatureStore"]

Rows: TypeAlias = NDArray[np.intp] | NDArray[np.bool_] | Sequence[int]

_RESERVED = ("image_id", "label", "group", "done")


@dataclass(frozen=True, eq=False)
class FeatureStore:
    """The features (N, V, D) of N images in V views, with what is known of them.

    Columns come into memory when they are first asked for; features stay in the file, or in the
    shards beside it. A store keeps no file open, so it may be pickled and used from several
    processes.

    Attributes:
        path: The file.
        attributes: Who made the features of what and how (see `describe`).
        shape: N, V and D.
        dtype: How the file holds the features.
        image_id: Distinct ids, shape (N,).
        label: Index into `classes`, -1 = none, shape (N,).
        group: What must stay together (a lesion), shape (N,).
        done: Whether the row has features, shape (N,), bool.
        image_hash: 32 hex digits by which an image is known again, of its pixels, or of its file
            where that was for a GPU to decode; "" = unknown, shape (N,).
        split: The official split ("train", "val", "test"), shape (N,), or None.
        failures: Why an image has no features, by id.
        metadata: Further columns, each of shape (N,), as text ("" = missing).
        features_name: The features' name inside the file.
        trained_on: Hashes of pixels and files of the images that featkit fine-tuned the backbone
            on: heads on these features may not be tested on them. Shape (M,).
    """

    path: Path
    attributes: Mapping[str, Any]
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    image_id: NDArray[np.str_]
    label: NDArray[np.int16]
    group: NDArray[np.str_]
    done: NDArray[np.bool_]
    image_hash: NDArray[np.str_]
    split: NDArray[np.str_] | None
    failures: Mapping[str, str]
    metadata: Mapping[str, NDArray[np.str_]]
    features_name: str = "features"
    trained_on: NDArray[np.str_] = field(default_factory=NONE.copy)

    @classmethod
    def open(cls, path: str | Path) -> FeatureStore:
        """Open a file that `featkit extract` made.

        Raises:
            StoreError: The file is missing, damaged, cut short, of a newer schema, or not ours;
                also raised by columns at their first use.
        """
        store = cls.__new__(cls)
        # Without its columns: `__getattr__` is asked for what is not here.
        store.__dict__.update(read_fields(Path(path)))
        return store

    @classmethod
    def from_hdf5(
        cls,
        path: str | Path,
        *,
        features: str,
        label: str,
        image_id: str | None = None,
        group: str | None = None,
        classes: Sequence[str] | None = None,
        backbone: str | None = None,
    ) -> FeatureStore:
        """Open any HDF5 file that holds features and labels.

        Args:
            path: The file.
            features: Name of the data set of features, (N, D) numbers (`group/name` for nested).
            label: Name of the data set of labels, (N,) integers (below 0 = none) or text
                ("" = none).
            image_id: Name of the data set of distinct ids; row numbers where it is None.
            group: Name of the data set of groups; each image its own where it is None.
            classes: The classes' names: of labels 0, 1, … where labels are integers. Where it is
                None, the labels that occur.
            backbone: A name for what made the features; the file's where it is None. Stores to be
                tested on one another need the same.

        Raises:
            StoreError: The file cannot be read, or a data set is missing or does not fit.
        """
        fields = read_foreign_fields(
            Path(path),
            features=features,
            label=label,
            image_id=image_id,
            group=group,
            classes=classes,
            backbone=backbone,
        )
        return cls(**fields)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Read a column of an opened file, once."""
            if name not in COLUMNS:
                raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
            column = read_column(self.path, name, fingerprint=self.fingerprint)
            self.__dict__[name] = column
            return column

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        rows, views, dimension = self.shape
        return (
            f"FeatureStore({str(self.path)!r}: {rows} images, {views} views, {dimension} features)"
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names."""
        return tuple(self.attributes["classes"])

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that the features depend on."""
        return str(self.attributes["fingerprint"])

    @property
    def backbone_fingerprint(self) -> str:
        """SHA-256 over architecture, weights, pooling and preprocessing."""
        return str(self.attributes["backbone"]["fingerprint"])

    @property
    def backbone_name(self) -> str:
        """A short name for tables: `resnet50.a1_in1k`, with `+cls` or `+random` where so."""
        backbone = self.attributes["backbone"]
        return backbone_name(
            str(backbone["spec"]),
            str(backbone["architecture"]),
            str(backbone["pooling"]),
            random_weights=bool(backbone["random_weights"]),
        )

    @property
    def dataset_name(self) -> str:
        """The data set's name, for people."""
        return str(self.attributes["dataset"]["name"])

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """All plain features, shape (N, D), float32: read at the first use, then kept."""
        return self.numpy()

    def numpy(
        self,
        *,
        rows: Rows | None = None,
        views: Literal["plain", "all"] = "plain",
    ) -> NDArray[np.float32]:
        """Return features as float32; rows that are not done hold NaN.

        Args:
            rows: Which rows, in which order, or N booleans; all where it is None. Only the blocks
                that they lie in are read.
            views: `plain` for the unchanged image alone, `all` for every view.

        Returns:
            Shape (n, D) for `plain`, (n, V, D) for `all`.

        Raises:
            StoreError: The file is damaged, or changed since it was opened.
            IndexError: A row is out of range.
        """
        wanted = _row_numbers(rows, len(self))
        _, count, dimension = self.shape
        kept = count if views == "all" else 1
        found = np.empty((len(wanted), kept, dimension), dtype=np.float32)
        order = np.argsort(wanted, kind="stable")
        for which, values in self._place.rows(wanted[order]):
            found[order[which]] = values[:, :kept]
        return found if views == "all" else found[:, 0]

    def torch(
        self,
        *,
        rows: Rows | None = None,
        views: Literal["plain", "all"] = "plain",
    ) -> torch.Tensor:
        """Return what `numpy` returns, as a float32 tensor."""
        import torch

        return torch.from_numpy(self.numpy(rows=rows, views=views))

    def pandas(self) -> pd.DataFrame:
        """Return a table: image_id, label (class name), group, done, metadata, f0 to f(D-1)."""
        import pandas as pd

        names = np.array([*self.classes, None], dtype=object)
        columns = {
            "image_id": self.image_id,
            "label": names[self.label],
            "group": self.group,
            "done": self.done,
            **{
                f"metadata.{name}" if name in _RESERVED else name: column
                for name, column in self.metadata.items()
            },
        }
        values = pd.DataFrame(self.numpy(), columns=[f"f{i}" for i in range(self.shape[2])])
        return pd.concat([pd.DataFrame(columns), values], axis=1)

    def verify(self) -> None:
        """Read the whole store once, with all checksums.

        Raises:
            StoreError: A checksum is wrong, or a row that is done holds no finite features.
        """
        place, every = self._place, np.arange(len(self))
        for which, values in place.rows(every):
            if not np.isfinite(values[self.done[which]]).all():
                raise damaged(self.path, "rows that are done hold no finite features")
        for opened in place.files():
            with opened as file:
                _read_all(file, but=self.features_name)

    @property
    def shards(self) -> int:
        """The number of files beside the store's own that hold its features."""
        return 0 if self._place.shards is None else self._place.shards.count

    @property
    def bytes(self) -> int:
        """The size of all its files."""
        return self._place.bytes()

    @property
    def _place(self) -> Place:
        shards = shards_of(self.path, self.attributes, len(self))
        return Place(self.path, self.features_name, self.shape, shards)


def _read_all(file: Any, *, but: str) -> None:
    """Read the data sets of a file, but one."""
    for dataset in _datasets(file):
        if dataset.name.lstrip("/") != but.lstrip("/"):
            for start in range(0, dataset.shape[0] if dataset.shape else 0, BLOCK):
                dataset[start : start + BLOCK]


def _datasets(group: Any) -> Iterator[Any]:
    """Yield every data set of an HDF5 group, however deep."""
    for name, item in group.items():
        if item is None:
            raise KeyError(f"{name} leads nowhere")
        if hasattr(item, "dtype"):
            yield item
        else:
            yield from _datasets(item)


def _row_numbers(rows: Rows | None, count: int) -> NDArray[np.intp]:
    if rows is None:
        return np.arange(count, dtype=np.intp)
    given = np.asarray(rows)
    if given.dtype == bool and given.shape == (count,):
        return np.flatnonzero(given)
    if given.size and (given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= count):
        raise IndexError(f"rows must be whole numbers from 0 to {count - 1}, or {count} booleans")
    return given.astype(np.intp)
