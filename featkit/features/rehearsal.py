"""Rehearsal: an extraction whose places work alone, each without end, so that they can be timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle, islice

import numpy as np
import torch

from featkit.backbones.backbone import Backbone
from featkit.data.dataset import Dataset
from featkit.errors import DataError
from featkit.features._batch import Batch
from featkit.features._choosing import Faithfulness, Tried, try_ways
from featkit.features._crew import Crew
from featkit.features._forward import placed
from featkit.features._loading import check_decoder, loader_of
from featkit.features._making import computed
from featkit.features._networks import Networks
from featkit.features._openvino import has_openvino
from featkit.features._trial import sample_of, trial_of
from featkit.hardware.devices import default_batch
from featkit.hardware.memory import freed_memory_kept

__all__ = ["Faithfulness", "Rehearsal", "TriedWay", "has_openvino", "rehearsed"]

_SAMPLE = 2048
"""Different images that are decoded, at most."""


@dataclass(frozen=True, eq=False)
class TriedWay:
    """A way of computing that `extract` would try.

    Attributes:
        precision: `fp32` or `bf16`.
        runtime: What runs the network.
        faithfulness: What it did to images of the data set; None where there were too few.
        better: Whether it leaves the features as they are and is clearly faster than the plain
            way. The first such way is taken; where there is none, the plain one, tried first.
        known_s: Seconds from the search's begin until this was known.
        computed: Computes a batch without end, and yields each time how many images it has.
            Close it. Raises DataError where none can be read.
        extracted: Decodes them as well, at the same time. Close it.
    """

    precision: str
    runtime: str
    faithfulness: Faithfulness | None
    better: bool
    known_s: float
    computed: Callable[[], Generator[int]]
    extracted: Callable[[], Generator[int]]


class Rehearsal:
    """What `extract` does to a data set's images, place by place (see `rehearsed`).

    Args:
        dataset: The images.
        backbone: Its network must be on the first device.
        devices: Where the network runs.
        images: How many there are to be in all.
        views: Views of each.
        workers: Threads that decode.
    """

    def __init__(
        self,
        dataset: Dataset,
        backbone: Backbone,
        devices: Sequence[torch.device],
        *,
        images: int,
        views: int,
        workers: int,
    ) -> None:
        self._dataset, self._backbone, self._devices = dataset, backbone, devices
        self._images, self._views, self._workers = images, views, workers
        self._batch_size = default_batch(devices[0])

    def decoded(self) -> Generator[int]:
        """Decode and resize batches without end, and yield how many images each has. Close it."""
        with closing(self._batches()) as batches:
            for batch in batches:
                yield len(batch.rows)

    def ways(self) -> Iterator[TriedWay]:
        """Try the ways that `extract` might take, the plain one first.

        Raises:
            BackboneError: A single image does not fit into memory.
        """
        start = time.perf_counter()
        device = self._devices[0]
        sample = sample_of(self._dataset, self._views, device, images=self._images)
        trial = trial_of(sample, self._backbone.preprocessing, device)
        networks = Networks(self._backbone, device)
        for tried in try_ways("auto", networks, trial, batch_size=self._batch_size):
            yield self._told(tried, time.perf_counter() - start)

    def _told(self, tried: Tried, seconds: float) -> TriedWay:
        way = tried.forward.way
        return TriedWay(
            precision=way.precision,
            runtime=way.runtime,
            faithfulness=tried.check,
            better=tried.better,
            known_s=seconds,
            computed=lambda: _counted(cycle(self._one_each), self._crew(tried)),
            extracted=lambda: self._extracted(self._crew(tried)),
        )

    def _crew(self, tried: Tried) -> Crew:
        return Crew(tried.forward, self._devices[1:])

    def _extracted(self, crew: Crew) -> Generator[int]:
        with closing(self._batches()) as batches:
            yield from _counted(batches, crew)

    @cached_property
    def _one_each(self) -> list[Batch]:
        """Real pixels, a batch for each device."""
        with closing(self._batches()) as batches:
            some = list(islice(batches, len(self._devices)))
        reasons = [reason for batch in some for reason in batch.reason]
        if all(reasons):
            raise DataError(
                f"none of {len(reasons)} images tried of {self._dataset.name} can be read",
                cause=f"{reasons[0]}, for one",
                remedy="See what is wrong with `featkit data check`",
            )
        return some

    def _batches(self) -> Generator[Batch]:
        count = len(self._dataset)
        some = np.random.default_rng(0).choice(count, min(count, _SAMPLE), replace=False)
        loader = loader_of(
            self._dataset.select(some),
            self._backbone.preprocessing,
            views=self._views,
            workers=self._workers,
            devices=self._devices,
        )
        size = max(1, self._batch_size // self._views)
        starts = range(0, len(some), size)
        rows = range(len(some))
        yield from loader.batches(rows[start : start + size] for start in cycle(starts))


def _counted(batches: Iterable[Batch], crew: Crew) -> Generator[int]:
    """Compute batches as extraction does, and yield how many images each has."""
    with closing(computed(batches, crew)) as found:
        for batch, _ in found:
            yield len(batch.rows)


@contextmanager
def rehearsed(
    dataset: Dataset,
    backbone: Backbone,
    devices: Sequence[torch.device],
    *,
    images: int,
    views: int,
    workers: int,
) -> Iterator[Rehearsal]:
    """Give a rehearsal with the network in place; afterwards it is where it was.

    Args:
        dataset: The images, one or more.
        backbone: What makes features of them.
        devices: Where the network runs: `hardware.devices.resolve_devices`.
        images: How many there are to be in all, which decides what is worth trying.
        views: Views of each.
        workers: Threads that decode.

    Raises:
        UsageError: The devices cannot decode as the backbone says.
    """
    check_decoder(backbone.preprocessing, devices[0], views=views)
    with freed_memory_kept(), placed(backbone, devices[0]):
        yield Rehearsal(dataset, backbone, devices, images=images, views=views, workers=workers)
