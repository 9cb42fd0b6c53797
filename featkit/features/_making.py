"""Making: the parts of an extraction that are missing, in order, by this process's devices."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from featkit.features._batch import Batch, Loads
from featkit.features._choosing import as_stored
from featkit.features._crew import Crew
from featkit.features._filling import Filling, Stretch, failed
from featkit.features._networks import Features
from featkit.features._parts import Part

__all__ = ["Told", "computed", "make_parts"]

_UNDER_WAY = 1
"""Batches that each GPU has begun with beside the one that is waited for."""

Told = Callable[[Counter[str], int], None]
"""Told of each batch: how many rows failed, by reason, and how many rows it has."""


def make_parts(
    filling: Filling,
    stretches: Sequence[Stretch],
    loader: Loads,
    crew: Crew,
    *,
    told: Told,
    first_row: int = 0,
) -> Generator[tuple[int, Part]]:
    """Make and write the missing parts, and yield each; seal each stretch at its end.

    One part is computed while the next one's images are decoded, also across stretches.
    Close the generator (or exhaust it) to end the threads.

    Args:
        filling: What is to be made.
        stretches: Where parts are missing.
        loader: Decodes the images.
        crew: Computes their features.
        told: Told of each batch.
        first_row: Row of `filling` that is the loader's first.

    Raises:
        StoreError: The disk is full, or the folder cannot be written.
        BackboneError: A single image does not fit into memory.
    """
    missing = [index for stretch in stretches for index in stretch.missing]
    rows = (rows for index in missing for rows in filling.batches(index))
    wanted = (range(each.start - first_row, each.stop - first_row) for each in rows)
    with closing(loader.batches(wanted)) as batches:
        found = computed(batches, crew)
        for stretch in stretches:
            for index in stretch.missing:
                mine = islice(found, len(filling.batches(index)))
                part = _part(filling, mine, crew, told)
                filling.folder.write(index, part)
                yield index, part
            filling.seal(stretch.parts)


def _part(
    filling: Filling, batches: Iterator[tuple[Batch, Features]], crew: Crew, told: Told
) -> Part:
    start, device_start = time.perf_counter(), crew.seconds
    worked_start = crew.worked()
    features, hashes, reasons = [], [], []
    for batch, exact in batches:
        stored, reason = _stored(filling, batch, exact)
        features.append(stored)
        hashes += batch.image_hash
        reasons.append(reason)
        told(failed(reason), len(reason))
    wall, device = time.perf_counter() - start, crew.seconds - device_start
    return Part(
        features=np.concatenate(features),
        image_hash=np.array(hashes, dtype=np.str_),
        reason=np.concatenate(reasons),
        spent=np.array([wall, device, crew.peak_memory(), crew.worked() - worked_start]),
    )


def _stored(
    filling: Filling, batch: Batch, exact: Features
) -> tuple[NDArray[np.floating], NDArray[np.str_]]:
    """Return the batch's features as stored (n, V, D), and each row's reason of failure (n,)."""
    stored = as_stored(exact, filling.precision).reshape(len(batch.rows), *filling.shape[1:])
    finite = np.asarray(np.isfinite(stored).all(axis=(1, 2)))
    overflow = f"features not finite as {stored.dtype} (precision {filling.precision})"
    reasons = [
        reason or ("" if fine else overflow)
        for reason, fine in zip(batch.reason, finite, strict=True)
    ]
    reason = np.array(reasons, dtype=np.str_)
    stored[reason != ""] = np.nan
    return stored, reason


def computed(batches: Iterable[Batch], crew: Crew) -> Generator[tuple[Batch, Features]]:
    """Yield each batch with its features (n × V, D); the next one is begun before.

    Close the generator (or exhaust it) to wait for what is under way.
    """
    begun: deque[tuple[Batch, Callable[[], Features]]] = deque()
    try:
        for batch in batches:
            pixels = batch.pixels.reshape(-1, *batch.pixels.shape[2:])
            begun.append((batch, crew.start(pixels)))
            if len(begun) > _UNDER_WAY * len(crew):
                earlier, wait = begun.popleft()
                yield earlier, wait()
        while begun:
            earlier, wait = begun.popleft()
            yield earlier, wait()
    finally:
        for _, wait in begun:
            wait()
