"""Samples: which images are trained on in each step, and the chances that decide how they look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.finetuning._augmentation import CHANCES
from featkit.fingerprints import stable_seed

__all__ = ["Batch", "Order"]


@dataclass(frozen=True, eq=False)
class Batch:
    """The training samples of a step.

    Attributes:
        rows: Rows of the pixels, shape (B,).
        label: Their classes, shape (B,).
        chances: What decides their augmentation, in [0, 1), shape (B, len(CHANCES)).
    """

    rows: NDArray[np.intp]
    label: NDArray[np.int64]
    chances: NDArray[np.float64]

    def share(self, rank: int, size: int) -> Batch:
        """Return the samples of one of `size` processes."""
        mine = slice(rank, None, size)
        return Batch(self.rows[mine], self.label[mine], self.chances[mine])


@dataclass(frozen=True, eq=False)
class Order:
    """The training samples of every epoch, in an order that depends on seed and epoch alone.

    Attributes:
        rows: Rows of the pixels to train on, shape (n,).
        label: Their classes, shape (n,).
        oversample: Repeat rows of rare classes up to the largest one.
        batch_size: Samples a step; what is left over at the end of an epoch is dropped.
        seed: Seed of the orders.
    """

    rows: NDArray[np.intp]
    label: NDArray[np.int16]
    oversample: bool
    batch_size: int
    seed: int

    def __post_init__(self) -> None:
        # A batch of one has no statistics to normalise by, hence no lonely rest.
        object.__setattr__(self, "batch_size", min(self.batch_size, self._length()))

    @property
    def steps(self) -> int:
        """Number of batches in an epoch."""
        return self._length() // self.batch_size

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of an epoch."""
        generator = np.random.default_rng(stable_seed("epoch", self.seed, number))
        places = self._places(generator)
        generator.shuffle(places)
        for step in range(self.steps):
            chosen = places[step * self.batch_size : (step + 1) * self.batch_size]
            chance = np.random.default_rng(stable_seed("sample", self.seed, number, step))
            yield Batch(
                self.rows[chosen],
                self.label[chosen].astype(np.int64),
                chance.random((self.batch_size, len(CHANCES))),
            )

    def _length(self) -> int:
        counts = np.bincount(self.label)
        full = counts.max() * np.count_nonzero(counts) if self.oversample else len(self.rows)
        return int(full)

    def _places(self, generator: np.random.Generator) -> NDArray[np.intp]:
        places = np.arange(len(self.rows))
        if not self.oversample:
            return places
        counts = np.bincount(self.label)
        extra = [
            generator.choice(places[self.label == number], size=counts.max() - counts[number])
            for number in np.flatnonzero(counts)
        ]
        return np.concatenate([places, *extra])
