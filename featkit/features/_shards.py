"""Shards: the features of a large store in files of their own, beside the file that joins them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from featkit.errors import StoreError
from featkit.features._hdf5 import read_text, reading

__all__ = ["ShardLedger", "Shards", "remove_shards", "shards_of"]

_ENDING = ".shards"


@dataclass(frozen=True, eq=False)
class ShardLedger:
    """What happened to the n rows of a shard.

    Attributes:
        image_hash: Shape (n,), "" where the row was not read.
        reason: Why the row failed, "" where it did not, shape (n,).
        spent: What its k parts took (see `Part`), shape (k, 4).
    """

    image_hash: NDArray[np.str_]
    reason: NDArray[np.str_]
    spent: NDArray[np.float64]


@dataclass(frozen=True)
class Shards:
    """Where the features of a store lie that has shards.

    A shard knows the extraction that made it and its first row, so that no other file passes
    for it. HDF5 itself would put fill values where a file is missing.

    Attributes:
        folder: Holds the shards, `OUT.h5.shards`.
        job: The extraction that made them.
        rows: Rows of each (of the last one, at most).
        total: Rows of all.
    """

    folder: Path
    job: str
    rows: int
    total: int

    @classmethod
    def beside(cls, out: Path, *, job: str, rows: int, total: int) -> Shards:
        """Return the shards of a store that is to be written to `out`."""
        return cls(out.with_name(out.name + _ENDING), job, rows, total)

    @property
    def count(self) -> int:
        """The number of shards."""
        return -(-self.total // self.rows)

    def span(self, index: int) -> range:
        """Return the rows of a shard."""
        start = index * self.rows
        return range(start, min(start + self.rows, self.total))

    def path(self, index: int) -> Path:
        """Return the file of a shard."""
        return self.folder / f"shard-{self.job}-{index:06d}.h5"

    def to_dict(self) -> dict[str, object]:
        """Return what the store's attribute says."""
        return {"folder": self.folder.name, "job": self.job, "rows": self.rows}

    def marks(self, index: int) -> dict[str, object]:
        """Return the attributes by which a shard tells what it is."""
        return {"job": self.job, "first_row": self.span(index).start}

    @contextmanager
    def opened(self, index: int) -> Iterator[h5py.File]:
        """Open a shard for reading.

        Raises:
            StoreError: It is missing, damaged, or another file has its name.
        """
        with reading(self.path(index)) as file:
            found = {name: file.attrs.get(name) for name in self.marks(index)}
            features = file.get("features")
            rows = len(self.span(index))
            if found != self.marks(index) or features is None or features.shape[0] != rows:
                raise self._unfit(index, "it does not belong to this store")
            yield file

    def ledger(self, index: int) -> ShardLedger:
        """Return what happened to the rows of a shard.

        Raises:
            StoreError: It is missing, damaged, or another file has its name.
        """
        with self.opened(index) as file:
            image_hash, reason = read_text(file["image_hash"]), read_text(file["reason"])
            return ShardLedger(image_hash, reason, file["spent"][...])

    def check_present(self) -> None:
        """Look whether all shards are there, without opening them.

        Raises:
            StoreError: Some are missing; the first is named.
        """
        there = {path.name for path in self.folder.glob(f"shard-{self.job}-*.h5")}
        missing = [index for index in range(self.count) if self.path(index).name not in there]
        if missing:
            more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise self._unfit(missing[0], f"there is no such file{more}")

    def _unfit(self, index: int, cause: str) -> StoreError:
        return StoreError(
            f"cannot read the shard {self.path(index)}",
            cause=cause,
            remedy="Copy the store together with its folder of shards, or extract it again",
        )


def shards_of(path: Path, attributes: Mapping[str, Any], total: int) -> Shards | None:
    """Return the shards of a feature file, or None where it holds its features itself.

    Args:
        path: The file.
        attributes: Its attributes.
        total: Its rows.

    Raises:
        KeyError: The attribute is not whole.
    """
    told = attributes.get("shards")
    if told is None:
        return None
    # A name and nothing else: a file that was sent along must not point elsewhere.
    folder = path.with_name(Path(str(told["folder"])).name)
    return Shards(folder, str(told["job"]), int(told["rows"]), total)


def remove_shards(out: Path, *, job: str = "*", but: str | None = None) -> None:
    """Remove shards beside a feature file, and their folder where nothing else is in it.

    Args:
        out: The feature file.
        job: The extraction whose shards go; those of all by default.
        but: The extraction whose shards stay.
    """
    folder = out.with_name(out.name + _ENDING)
    kept = set(folder.glob(f"shard-{but}-*.h5"))
    for path in [*folder.glob(f"shard-{job}-*.h5"), *folder.glob(f".shard-{job}-*.h5.*.tmp")]:
        if path not in kept:
            path.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
