"""Filling: the rows of an extraction, dealt to batches, parts and shards, and where these lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.errors import StoreError
from featkit.features._choosing import storage_dtype
from featkit.features._parts import Part, PartFolder
from featkit.features._shards import Shards
from featkit.features._writer import write_shard

__all__ = ["Filling", "Stretch", "failed"]


@dataclass(frozen=True, eq=False)
class Stretch:
    """Successive parts, and what is there of them.

    Attributes:
        parts: Their numbers.
        found: How many rows failed, by reason, of each part that is there.
        closed: Whether nothing is left to be done: they are all there, in a shard where there is
            to be one.
    """

    parts: range
    found: dict[int, Counter[str]]
    closed: bool

    @property
    def missing(self) -> list[int]:
        """The parts that are to be made."""
        return [index for index in self.parts if index not in self.found]

    @property
    def failures(self) -> Counter[str]:
        """How many rows of the parts that are there failed, by reason."""
        return sum(self.found.values(), Counter())


@dataclass(frozen=True, eq=False)
class Filling:
    """The rows of an extraction, dealt to shards, parts and batches by row number alone.

    A batch holds the same images whether or not the job was interrupted, failed ones included,
    and whoever computes it: what a row's features are, to the last bit, may depend on its batch.

    Attributes:
        folder: Where parts lie.
        shards: What parts become when all of a shard are there; None where they stay parts.
        shape: N, V, D.
        precision: `fp32`, `bf16` or `fp16`.
        part_rows: Rows of a part.
        batch_rows: Rows of a batch.
    """

    folder: PartFolder
    shards: Shards | None
    shape: tuple[int, int, int]
    precision: str
    part_rows: int
    batch_rows: int

    @property
    def count(self) -> int:
        """The number of parts."""
        return -(-self.shape[0] // self.part_rows)

    def rows(self, index: int) -> range:
        """Return the rows of a part."""
        start = index * self.part_rows
        return range(start, min(start + self.part_rows, self.shape[0]))

    def rows_of(self, parts: range) -> range:
        """Return the rows of successive parts."""
        return range(self.rows(parts[0]).start, self.rows(parts[-1]).stop)

    def batches(self, index: int) -> list[range]:
        """Return the rows of a part's batches."""
        rows = self.rows(index)
        return [
            rows[start : start + self.batch_rows] for start in range(0, len(rows), self.batch_rows)
        ]

    def stretches(self, parts: int) -> list[range]:
        """Return all parts: those of each shard, or so many at a time where there are no shards."""
        each = parts if self.shards is None else self.shards.rows // self.part_rows
        return [range(start, min(start + each, self.count)) for start in range(0, self.count, each)]

    def survey(self, parts: range) -> Stretch:
        """Look what is there of successive parts; what is damaged counts as missing."""
        whole = self.sealed(parts)
        if whole is not None:
            return Stretch(parts, whole, closed=True)
        there = ((index, self._read(index)) for index in parts)
        found = {index: failed(part.reason) for index, part in there if part is not None}
        return Stretch(parts, found, closed=self.shards is None and len(found) == len(parts))

    def seal(self, parts: range) -> None:
        """Turn the parts of a shard into the shard, where there is to be one.

        Raises:
            StoreError: A part has been damaged, the disk is full, or the folder cannot be written.
        """
        if self.shards is None:
            return
        rows = self.rows_of(parts)
        index = rows.start // self.shards.rows
        write_shard(
            self.shards.path(index),
            parts=self.parts(parts),
            shape=(len(rows), *self.shape[1:]),
            dtype=storage_dtype(self.precision),
            marks=self.shards.marks(index),
        )
        self.folder.discard(parts)

    def parts(self, parts: range | None = None) -> Iterator[Part]:
        """Yield finished parts; all of them where `parts` is None.

        Raises:
            StoreError: A part is damaged.
        """
        for index in range(self.count) if parts is None else parts:
            part = self._read(index)
            if part is None:
                raise StoreError(
                    f"part {index} in {self.folder.path} cannot be read",
                    cause="it was damaged or removed after it was written",
                    remedy="Run the same command again: it will be made anew",
                )
            yield part

    def spent(self) -> NDArray[np.float64]:
        """Return what each finished part took (see `Part`), one a row.

        Raises:
            StoreError: A part or shard is damaged.
        """
        if self.shards is None:
            return np.array([part.spent for part in self.parts()])
        ledgers = map(self.shards.ledger, range(self.shards.count))
        return np.concatenate([ledger.spent for ledger in ledgers])

    def _read(self, index: int) -> Part | None:
        """Return a part, or None where it is missing or damaged."""
        return self.folder.read(index, (len(self.rows(index)), *self.shape[1:]))

    def sealed(self, parts: range) -> dict[int, Counter[str]] | None:
        """Return the failures of each part of a shard; None where the shard is not there."""
        if self.shards is None:
            return None
        start = self.rows(parts[0]).start
        try:
            reason = self.shards.ledger(start // self.shards.rows).reason
        except StoreError:
            return None
        spans = {index: self.rows(index) for index in parts}
        return {
            index: failed(reason[rows.start - start : rows.stop - start])
            for index, rows in spans.items()
        }


def failed(reason: NDArray[np.str_]) -> Counter[str]:
    """Return how many rows failed, by reason ("" where a row did not)."""
    return Counter(reason[reason != ""].tolist())
