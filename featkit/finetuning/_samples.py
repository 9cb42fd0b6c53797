"""Samples: images as the network's input, the same ones however many processes load them."""

from __future__ import annotations

import random
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from types import TracebackType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from featkit.finetuning._augmentation import Augmentation
from featkit.finetuning._pixels import Pixels
from featkit.fingerprints import stable_seed

__all__ = ["EpochLoader", "Order", "Sample", "Samples"]


@dataclass(frozen=True)
class Sample:
    """An image in an epoch.

    Attributes:
        row: Row of the pixels.
        seed: Decides its augmentation; None = the plain image.
    """

    row: int
    seed: int | None = None


class Samples(Dataset[Tensor]):
    """Turns a `Sample` into uint8 pixels (3, H, W).

    Args:
        pixels: The resized images.
        augmentation: Of samples with a seed.
        plain: Of samples without: the centre crop.
    """

    def __init__(self, pixels: Pixels, augmentation: Augmentation, plain: Augmentation) -> None:
        self._pixels = pixels
        self._augmentation = augmentation
        self._plain = plain

    def __getitem__(self, sample: Sample) -> Tensor:
        image = self._pixels.image(sample.row)
        if sample.seed is None:
            image = self._plain(image)
        else:
            with _seeded(sample.seed):
                image = self._augmentation(image)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the generators that transforms use, and give them back as they were."""
    # torch.manual_seed would seed the GPU's generator too, which dropout draws from.
    pytorch = torch.default_generator
    before = random.getstate(), pytorch.get_state()
    random.seed(seed)
    pytorch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        pytorch.set_state(before[1])


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

    def epoch(self, number: int) -> list[list[tuple[Sample, int]]]:
        """Return the batches of an epoch: samples, each with its class."""
        generator = np.random.default_rng(stable_seed("epoch", self.seed, number))
        places = self._places(generator)
        generator.shuffle(places)
        samples = [
            (
                Sample(int(self.rows[place]), stable_seed("sample", self.seed, number, index)),
                int(self.label[place]),
            )
            for index, place in enumerate(places)
        ]
        size = self.batch_size
        return [samples[step * size : (step + 1) * size] for step in range(self.steps)]

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


class EpochLoader:
    """Loads one epoch after another, the next one while the last is still trained on.

    The processes that load stay until the last epoch is loaded, or the loader is dropped.

    Args:
        samples: Makes pixels of them.
        batches: Returns an epoch's batches; knows nothing of the loader, since a circle would keep
            its processes alive.
        steps: Number of batches in an epoch.
        epochs: Number of epochs.
        workers: Processes that load ahead; 0 = load when asked.
        pinned: Put batches where copies to a GPU are fast.
    """

    def __init__(
        self,
        samples: Samples,
        batches: Callable[[int], Sequence[Sequence[Sample]]],
        *,
        steps: int,
        epochs: int,
        workers: int,
        pinned: bool,
    ) -> None:
        self._samples = samples
        self._batches = batches
        self._steps, self._epochs = steps, epochs
        self._workers, self._pinned = workers, pinned
        self._stream: Iterator[Tensor] = iter(())
        self._coming: int | None = None

    def epoch(self, number: int) -> Iterator[Tensor]:
        """Yield the batches of an epoch, each uint8 (B, 3, H, W)."""
        if number != self._coming:
            self._stream = self._from(number)
        self._coming = None
        yield from islice(self._stream, self._steps)
        self._coming = number + 1

    def _from(self, first: int) -> Iterator[Tensor]:
        epochs = map(self._batches, range(first, self._epochs))
        loader: DataLoader[Tensor] = DataLoader(
            self._samples,
            batch_sampler=chain.from_iterable(epochs),  # type: ignore[arg-type]  # will do
            num_workers=self._workers,
            pin_memory=self._pinned,
            worker_init_fn=_leave_interrupts_to_the_parent,
            # It draws a number when it starts, which may not come from dropout's.
            generator=torch.Generator(),
        )
        return iter(loader)


def _leave_interrupts_to_the_parent(_: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.excepthook = _unless_the_parent_left


def _unless_the_parent_left(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Say nothing of a batch that an interrupted parent no longer fetches."""
    # The thread that hands batches over reports here; errors of samples go to the parent.
    if not issubclass(kind, (EOFError, ConnectionError)):
        sys.__excepthook__(kind, error, trace)
