"""Features without a file: a backbone made ready once, to be given images again and again."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from featkit.backbones.backbone import Backbone
from featkit.data.dataset import Dataset
from featkit.features._choosing import as_stored
from featkit.features._forward import placed
from featkit.features._loading import check_decoder, loader_of
from featkit.features._making import computed
from featkit.features._networks import Way
from featkit.features._station import Station
from featkit.features._trial import sample_of
from featkit.hardware.devices import available_cores, default_batch, resolve_devices
from featkit.hardware.memory import freed_memory_kept

__all__ = ["FeatureBatch", "FeatureStream"]


@dataclass(frozen=True, eq=False)
class FeatureBatch:
    """The features of some successive images.

    Attributes:
        rows: Their rows in the Dataset, n of them.
        features: Shape (n, V, D), float32; NaN where an image failed.
        reason: Why one failed, "" where it did not, length n.
        pixels: What the network saw of the plain views, shape (n, H, W, 3), uint8; None where they
            were not asked for.
    """

    rows: range
    features: NDArray[np.float32]
    reason: list[str]
    pixels: NDArray[np.uint8] | None


class FeatureStream:
    """Turns images into features as `extract` does, as fast, and keeps nothing.

    Use it in a `with` block, which puts the network on the device and takes it back at the end.

    Args:
        backbone: What makes the features.
        device: As `extract` takes it.
        precision: `auto`, `fp32`, `bf16` or `fp16`; `auto` is chosen anew for each data set.
        batch_size: Images in the network at once; None = by device.
        views: Views of each image.
        workers: Threads that decode; None = one for each core.

    Attributes:
        backbone: As given.
        views: As given.

    Raises:
        UsageError: The device is not there, or cannot decode as the backbone says.
    """

    def __init__(
        self,
        backbone: Backbone,
        *,
        device: str = "auto",
        precision: str = "auto",
        batch_size: int | None = None,
        views: int = 1,
        workers: int | None = None,
    ) -> None:
        self.backbone = backbone
        self._devices = resolve_devices(device)
        self._precision, self.views = precision, views
        self._batch_size = batch_size or default_batch(self._devices[0])
        self._workers = workers or available_cores()
        self._station = Station(backbone, self._devices)
        self._open = ExitStack()
        check_decoder(backbone.preprocessing, self._devices[0], views=views)

    def __enter__(self) -> Self:
        self._open.enter_context(freed_memory_kept())
        self._open.enter_context(placed(self.backbone, self._devices[0]))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()

    def batches(self, dataset: Dataset, *, pixels: bool = False) -> Generator[FeatureBatch]:
        """Yield the features of a data set's images in order.

        Close the generator (or exhaust it) to end the threads.

        Args:
            dataset: The images.
            pixels: Whether to hand out what the network saw as well.

        Raises:
            BackboneError: A single image does not fit into memory.
        """
        if not len(dataset):
            return
        way = self._way(dataset)
        crew = self._station.crew(way, self._batch_size)
        loader = loader_of(
            dataset,
            self.backbone.preprocessing,
            views=self.views,
            workers=self._workers,
            devices=self._devices,
            allocate=crew.buffer,
        )
        size, rows = max(1, self._batch_size // self.views), range(len(dataset))
        wanted = (rows[start : start + size] for start in range(0, len(rows), size))
        with closing(loader.batches(wanted)) as loaded, closing(computed(loaded, crew)) as found:
            for batch, exact in found:
                stored = as_stored(exact, way.precision).astype(np.float32)
                features = stored.reshape(len(batch.rows), self.views, -1)
                fine = [bool(np.isfinite(each).all()) for each in features]
                reason = [
                    why or ("" if good else "features are no finite numbers")
                    for why, good in zip(batch.reason, fine, strict=True)
                ]
                features[[bool(why) for why in reason]] = np.nan
                # Buffers are used again for later batches.
                seen = batch.pixels[:, 0].cpu().numpy().copy() if pixels else None
                yield FeatureBatch(batch.rows, features, reason, seen)

    def of_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the features (n, V, D) of the network's input (n, V, H, W, 3), uint8.

        Computed in fp32 where the precision is `auto`.
        """
        precision = "fp32" if self._precision == "auto" else self._precision
        crew = self._station.crew(Way(precision), self._batch_size)
        exact = crew.start(torch.from_numpy(pixels.reshape(-1, *pixels.shape[2:])))()
        stored = as_stored(exact, precision).astype(np.float32)
        return stored.reshape(*pixels.shape[:2], -1)

    def _way(self, dataset: Dataset) -> Way:
        sample = sample_of(dataset, self.views, self._devices[0])
        return self._station.choose(self._precision, sample, self._batch_size)[0]
