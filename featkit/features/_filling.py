"""Filling: the parts of an extraction that are missing, made in order."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from featkit.features._choosing import as_stored
from featkit.features._forward import Forward
from featkit.features._loader import Batch, Loader
from featkit.features._networks import Features
from featkit.features._parts import Part, PartFolder
from featkit.progress import Progress

__all__ = ["Filling"]

_UNDER_WAY = 1
"""Batches that a GPU has begun with beside the one that is waited for."""


@dataclass(frozen=True, eq=False)
class Filling:
    """The rows of an extraction, dealt to parts and batches by row number alone.

    A batch holds the same images whether or not the job was interrupted, failed ones included:
    what a row's features are, to the last bit, may depend on its batch.

    Attributes:
        folder: Where parts lie.
        shape: N, V, D.
        precision: `fp32`, `bf16` or `fp16`.
        part_rows: Rows of a part.
        batch_rows: Rows of a batch.
    """

    folder: PartFolder
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

    def batches(self, index: int) -> list[range]:
        """Return the rows of a part's batches."""
        rows = self.rows(index)
        return [
            rows[start : start + self.batch_rows] for start in range(0, len(rows), self.batch_rows)
        ]

    def read(self, index: int) -> Part | None:
        """Return a part, or None where it is missing or damaged."""
        return self.folder.read(index, (len(self.rows(index)), *self.shape[1:]))

    def fill(
        self, loader: Loader, forward: Forward, progress: Progress, *, task: str
    ) -> Counter[str]:
        """Make the parts that are missing; return how many rows failed, by reason."""
        failures: Counter[str] = Counter()
        missing = []
        for index in range(self.count):
            part = self.read(index)
            if part is None:
                missing.append(index)
            else:
                failures.update(_failed(part.reason))
        left = sum(len(self.rows(index)) for index in missing)
        progress.start(task, total=self.shape[0], done=self.shape[0] - left, unit="images")
        wanted = (rows for index in missing for rows in self.batches(index))
        try:
            with closing(loader.batches(wanted, forward.buffer)) as batches:
                computed = _computed(batches, forward)
                for index in missing:
                    mine = islice(computed, len(self.batches(index)))
                    part = self._make(mine, forward, progress, failures)
                    self.folder.write(index, part)
        finally:
            progress.finish()
        return failures

    def _make(
        self,
        batches: Iterator[tuple[Batch, Features]],
        forward: Forward,
        progress: Progress,
        failures: Counter[str],
    ) -> Part:
        start, device_start = time.perf_counter(), forward.seconds
        worked_start = forward.worked()
        features, hashes, reasons = [], [], []
        for batch, exact in batches:
            stored, reason = self._store(batch, exact)
            features.append(stored)
            hashes += batch.pixel_hash
            reasons += reason
            failures.update(_failed(reason))
            note = f"{failures.total()} failed" if failures else ""
            progress.advance(len(batch.rows), note=note)
        wall, device = time.perf_counter() - start, forward.seconds - device_start
        return Part(
            features=np.concatenate(features),
            pixel_hash=np.array(hashes, dtype=np.str_),
            reason=np.array(reasons, dtype=np.str_),
            spent=np.array([wall, device, forward.peak_memory(), forward.worked() - worked_start]),
        )

    def _store(self, batch: Batch, exact: Features) -> tuple[NDArray[np.floating], list[str]]:
        """Return the batch's features as stored (n, V, D), and each row's reason of failure."""
        stored = as_stored(exact, self.precision).reshape(len(batch.rows), *self.shape[1:])
        finite = np.asarray(np.isfinite(stored).all(axis=(1, 2)))
        overflow = f"features not finite as {stored.dtype} (precision {self.precision})"
        reasons = [
            reason or ("" if fine else overflow)
            for reason, fine in zip(batch.reason, finite, strict=True)
        ]
        stored[[reason != "" for reason in reasons]] = np.nan
        return stored, reasons


def _computed(batches: Iterable[Batch], forward: Forward) -> Iterator[tuple[Batch, Features]]:
    """Yield each batch with its features (n × V, D); the next one is begun before."""
    begun: deque[tuple[Batch, Callable[[], Features]]] = deque()
    for batch in batches:
        pixels = batch.pixels.reshape(-1, *batch.pixels.shape[2:])
        begun.append((batch, forward.start(pixels)))
        if len(begun) > _UNDER_WAY:
            earlier, wait = begun.popleft()
            yield earlier, wait()
    for earlier, wait in begun:
        yield earlier, wait()


def _failed(reasons: list[str] | NDArray[np.str_]) -> list[str]:
    return [str(reason) for reason in reasons if reason]
