"""The loader: images decoded and preprocessed by threads, ahead of the forward pass."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Semaphore

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from featkit.backbones.preprocessing import Preprocessing
from featkit.data.dataset import Dataset
from featkit.data.decoding import ImageError, check_shape, decode_pixels, pixel_hash
from featkit.data.sources import EncodedImages, concurrent_reads
from featkit.features._batch import Batch, ahead
from featkit.features._views import all_views

__all__ = ["Allocate", "Loader", "pageable"]

Pixels = NDArray[np.uint8]

Allocate = Callable[[tuple[int, ...]], Tensor]
"""Makes an empty tensor on the host for pixels of a shape, uint8."""


def pageable(shape: tuple[int, ...]) -> Tensor:
    """Return an empty tensor in ordinary memory."""
    return torch.empty(shape, dtype=torch.uint8)


@dataclass(frozen=True)
class Loader:
    """Decodes and preprocesses a data set's images in threads (all of it outside the GIL).

    Attributes:
        dataset: The images.
        preprocessing: How they become the network's input.
        views: Number of views of each image.
        workers: Threads that decode; more wait for images where reading means waiting.
        allocate: Gives memory for pixels.
    """

    dataset: Dataset
    preprocessing: Preprocessing
    views: int
    workers: int
    allocate: Allocate = pageable

    def batches(self, wanted: Iterable[range]) -> Generator[Batch]:
        """Yield the batches of these rows in order (see `Loads`)."""
        threads = max(self.workers, concurrent_reads(self.dataset.images))
        pool = ThreadPoolExecutor(threads, thread_name_prefix="featkit-decode")
        begin = partial(self._begin, pool, Semaphore(self.workers))
        try:
            yield from ahead(wanted, begin, threads=threads)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self, pool: ThreadPoolExecutor, decoding: Semaphore, rows: range) -> _Pending:
        pixels = self.allocate((len(rows), self.views, *self.preprocessing.crop, 3))
        futures = [
            pool.submit(self._load, row, slot, decoding)
            for row, slot in zip(rows, pixels.numpy(), strict=True)
        ]
        return _Pending(rows, pixels, futures)

    def _load(self, row: int, slot: Pixels, decoding: Semaphore) -> tuple[str, str]:
        """Fill the row's slot (V, H, W, 3), and return the pixel hash and the failure's reason."""
        images = self.dataset.images
        try:
            if not isinstance(images, EncodedImages):
                with decoding:
                    return self._fill(row, slot, np.array(images.read(row)))
            data = images.data(row)
            with decoding:
                return self._fill(row, slot, decode_pixels(data))
        except ImageError as error:
            slot[:] = 0
            return "", error.reason

    def _fill(self, row: int, slot: Pixels, image: Pixels) -> tuple[str, str]:
        check_shape(*image.shape[:2])
        image_id = str(self.dataset.image_id[row])
        for number, view in enumerate(
            all_views(image, self.preprocessing, views=self.views, image_id=image_id)
        ):
            slot[number] = view
        return pixel_hash(image), ""


@dataclass(frozen=True, eq=False)
class _Pending:
    """A batch whose rows the threads are filling."""

    rows: range
    pixels: Tensor
    futures: list[Future[tuple[str, str]]]

    def result(self) -> Batch:
        found = [future.result() for future in self.futures]
        return Batch(
            self.rows, self.pixels, [pixels for pixels, _ in found], [reason for _, reason in found]
        )
