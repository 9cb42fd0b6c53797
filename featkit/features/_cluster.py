"""The Ray engine: a worker for each GPU of a cluster, or for each group of cores."""

from __future__ import annotations

import importlib
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any

import numpy as np
import torch

from featkit.backbones.backbone import Backbone
from featkit.data.dataset import Dataset
from featkit.features._choosing import Faithfulness
from featkit.features._dispatch import Dispatch, Unit, choice_of
from featkit.features._engine import Worked
from featkit.features._filling import Filling
from featkit.features._forward import placed
from featkit.features._networks import Way
from featkit.features._slots import Slot, slots_of
from featkit.features._trial import Sample
from featkit.features._worker import Made, Worker, orders_of
from featkit.hardware.cluster import connected, kind_of, nodes
from featkit.hardware.sharing import shared
from featkit.progress import Progress

__all__ = ["RayEngine"]

_UNITS = 8
"""Units that each worker gets, where they are not shards: so many that none ends much later."""

_RESTARTS = 100
"""So often does Ray begin a worker anew: not for ever, as one may die of its start."""

_UNIT_PARTS = 64
"""Parts of a unit, at most."""


class RayEngine:
    """The workers of a Ray cluster; the images of a stretch are sent to whoever makes it.

    Results go from the workers straight to the folder of parts, which all of them must see.

    Args:
        dataset: The images.
        backbone: What makes features of them.
        device: `auto` (GPUs where the cluster has any), `cpu` or `cuda`.
        views: Views of each image.
        workers: Threads of each worker that decode; None for one for each of its cores.
    """

    def __init__(
        self, dataset: Dataset, backbone: Backbone, *, device: str, views: int, workers: int | None
    ) -> None:
        # Labels and metadata stay here: a worker needs none of them.
        self._images = replace(dataset, metadata={}, split=None, unlisted=())
        self._backbone, self._asked_for = backbone, device
        self._views, self._threads = views, workers
        self._open = ExitStack()
        self._slots: list[Slot] = []
        self._workers: list[Any] = []
        self._sent: Any = None
        self._device = torch.device("cpu")

    def __enter__(self) -> RayEngine:
        """Connect to the cluster, and ask it for workers."""
        with ExitStack() as stack:
            stack.enter_context(connected())
            there = nodes()
            self._device = kind_of(self._asked_for, there)
            self._slots = slots_of(there, self._device)
            stack.callback(self._dismiss)
            self._hire()
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the workers, and the cluster where it was started here."""
        self._open.close()

    @property
    def device(self) -> torch.device:
        """A device of the workers' kind."""
        return self._device

    def choose(
        self, precision: str, sample: Sample, batch_size: int
    ) -> tuple[Way, Faithfulness | None]:
        """Choose how to compute, on the worker that is there first (see `choose_way`)."""
        ray = importlib.import_module("ray")
        shown = ray.put(sample)
        chosen: tuple[Way, Faithfulness | None] = choice_of(
            self._workers,
            lambda worker: worker.choose.remote(self._sent, precision, shown, batch_size),
        )
        return chosen

    def fill(
        self, filling: Filling, way: Way, batch_size: int, progress: Progress, *, task: str
    ) -> Worked:
        """Make all parts that are missing (see `Engine`)."""
        ray = importlib.import_module("ray")
        tally = _Tally(filling, progress, batch_size)
        each = -(-filling.count // (_UNITS * len(self._workers)))
        stretches = filling.stretches(min(each, _UNIT_PARTS))
        units = [Unit(parts) for parts in stretches if not tally.has(parts)]
        tally.start(task)
        try:
            with shared(filling.folder.path) as folder:
                orders = orders_of(
                    filling,
                    self._images.images,
                    way,
                    batch_size,
                    folder,
                    decoder=self._backbone.preprocessing.decoder,
                )
                sent = ray.put(orders)
                dispatch = Dispatch(
                    self._workers,
                    join=lambda worker: worker.join.remote(self._sent, sent),
                    make=lambda worker, unit: self._make(worker, filling, unit),
                    made=tally.add,
                )
                dispatch.work(units)
        finally:
            progress.finish()
        joined = list(dispatch.joined.values())
        at_once = max(1, min(len(joined), len(units)))
        cost = {
            "batch_size": tally.batch_size,
            "workers": self._threads or max(slot.cores for slot in self._slots),
            "devices": at_once,
            "machines": len({worker.host for worker in joined}),
        }
        device = " + ".join(sorted({worker.device for worker in joined})) or str(self._device)
        return Worked(tally.failures, device, at_once, cost)

    def _hire(self) -> None:
        ray = importlib.import_module("ray")
        strategies = importlib.import_module("ray.util.scheduling_strategies")
        actor = ray.remote(Worker)
        with placed(self._backbone, torch.device("cpu")):
            self._sent = ray.put(self._backbone)
        for slot in self._slots:
            # Soft: where the machine is gone, Ray begins the worker anew on another one.
            place = strategies.NodeAffinitySchedulingStrategy(slot.node, soft=True)
            options = actor.options(
                num_cpus=slot.cores,
                num_gpus=slot.gpus,
                max_restarts=_RESTARTS,
                max_task_retries=0,
                scheduling_strategy=place,
            )
            cores = max(1, slot.cores)
            worker = options.remote(self._device, cores, self._threads or cores)
            self._workers.append(worker)

    def _dismiss(self) -> None:
        ray = importlib.import_module("ray")
        while self._workers:
            ray.kill(self._workers.pop())

    def _make(self, worker: Any, filling: Filling, unit: Unit) -> Any:
        rows = filling.rows_of(unit.parts)
        images = self._images.select(np.arange(rows.start, rows.stop))
        make = worker.make.options(num_returns="streaming")
        return make.remote(unit.parts, images, self._views)


class _Tally:
    """Counts what is there, and tells of what is new."""

    def __init__(self, filling: Filling, progress: Progress, batch_size: int) -> None:
        self._filling, self._progress = filling, progress
        # By their names alone: workers read them, and what is damaged is made again.
        self._there = filling.folder.there()
        self._done = 0
        self.failures: Counter[str] = Counter()
        self.batch_size = batch_size

    def has(self, parts: range) -> bool:
        """Tell whether the shard of these parts is there; if so, count its rows."""
        sealed = self._filling.sealed(parts)
        if sealed is None:
            return False
        self._there -= set(parts)
        self._done += len(self._filling.rows_of(parts))
        self.failures.update(sum(sealed.values(), Counter()))
        return True

    def start(self, task: str) -> None:
        """Announce the work."""
        done = self._done + sum(len(self._filling.rows(index)) for index in self._there)
        total = self._filling.shape[0]
        self._progress.start(task, total=total, done=done, unit="images")

    def add(self, made: Made) -> None:
        """Count a part."""
        self.failures.update(made.failures)
        self.batch_size = min(self.batch_size, made.batch_size)
        if made.part not in self._there:
            note = f"{self.failures.total()} failed" if self.failures else ""
            self._progress.advance(len(self._filling.rows(made.part)), note=note)
