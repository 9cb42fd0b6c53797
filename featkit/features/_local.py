"""The local engine: this process and its devices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType

import torch

from featkit.backbones.backbone import Backbone
from featkit.data.dataset import Dataset
from featkit.features._choosing import Faithfulness
from featkit.features._engine import Worked
from featkit.features._filling import Filling
from featkit.features._forward import placed
from featkit.features._loading import loader_of
from featkit.features._making import make_parts
from featkit.features._networks import Way
from featkit.features._station import Station
from featkit.features._trial import Sample
from featkit.hardware.devices import device_name
from featkit.hardware.memory import freed_memory_kept
from featkit.progress import Progress

__all__ = ["LocalEngine"]


class LocalEngine:
    """This process.

    Args:
        dataset: The images.
        backbone: What makes features of them.
        devices: What it runs on, all of one kind.
        views: Views of each image.
        workers: Threads that decode.
    """

    def __init__(
        self,
        dataset: Dataset,
        backbone: Backbone,
        *,
        devices: Sequence[torch.device],
        views: int,
        workers: int,
    ) -> None:
        self._dataset, self._backbone, self._devices = dataset, backbone, devices
        self._views, self._workers = views, workers
        self._station = Station(backbone, devices)
        self._open = ExitStack()

    def __enter__(self) -> LocalEngine:
        """Put the network on the device."""
        self._open.enter_context(freed_memory_kept())
        self._open.enter_context(placed(self._backbone, self.device))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Put the network back where it was."""
        self._open.close()

    @property
    def device(self) -> torch.device:
        """The first device."""
        return self._devices[0]

    def choose(
        self, precision: str, sample: Sample, batch_size: int
    ) -> tuple[Way, Faithfulness | None]:
        """Choose how to compute (see `choose_way`)."""
        return self._station.choose(precision, sample, batch_size)

    def fill(
        self, filling: Filling, way: Way, batch_size: int, progress: Progress, *, task: str
    ) -> Worked:
        """Make all parts that are missing (see `Engine`)."""
        crew = self._station.crew(way, batch_size)
        loader = loader_of(
            self._dataset,
            self._backbone.preprocessing,
            views=self._views,
            workers=self._workers,
            devices=self._devices,
            allocate=crew.buffer,
        )
        stretches = [filling.survey(parts) for parts in filling.stretches(filling.count)]
        failures: Counter[str] = Counter()
        for stretch in stretches:
            failures.update(stretch.failures)
        total = filling.shape[0]
        left = sum(len(filling.rows(i)) for stretch in stretches for i in stretch.missing)

        def told(more: Counter[str], rows: int) -> None:
            failures.update(more)
            progress.advance(rows, note=f"{failures.total()} failed" if failures else "")

        progress.start(task, total=total, done=total - left, unit="images")
        try:
            todo = [stretch for stretch in stretches if not stretch.closed]
            for _ in make_parts(filling, todo, loader, crew, told=told):
                pass
        finally:
            progress.finish()
        cost = {
            "batch_size": crew.batch_size,
            "workers": self._workers,
            "devices": len(self._devices),
        }
        return Worked(failures, device_name(self.device), cost=cost)
