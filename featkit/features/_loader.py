"""The loader: images decoded and preprocessed by threads, ahead of the forward pass."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from featkit.backbones.preprocessing import Preprocessing
from featkit.data.dataset import Dataset
from featkit.data.decoding import ImageError, check_shape, pixel_hash
from featkit.features._views import view_of

__all__ = ["Batch", "Loader"]

Allocate = Callable[[tuple[int, ...]], NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class Batch:
    """The pixels of some successive rows; a row that failed holds zeros.

    Attributes:
        rows: Rows of the data set, n of them.
        pixels: Shape (n, V, H, W, 3).
        pixel_hash: Of the decoded images, "" where it failed, length n.
        reason: Why the row failed, "" where it did not, length n.
    """

    rows: range
    pixels: NDArray[np.uint8]
    pixel_hash: list[str]
    reason: list[str]


@dataclass(frozen=True)
class Loader:
    """Decodes and preprocesses a data set's images in threads (Pillow works outside the GIL).

    Attributes:
        dataset: The images.
        preprocessing: How they become the network's input.
        views: Number of views of each image.
        workers: Number of threads.
    """

    dataset: Dataset
    preprocessing: Preprocessing
    views: int
    workers: int

    def batches(self, wanted: Iterable[range], allocate: Allocate = np.empty) -> Generator[Batch]:
        """Yield the batches of these rows in order, decoding no more than a few ahead.

        Close the generator (or exhaust it) to end the threads.

        Args:
            wanted: The rows of each batch.
            allocate: Makes an array for pixels of a shape.
        """
        ranges = iter(wanted)
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="featkit-decode")
        ahead: deque[_Pending] = deque()
        try:
            for rows in islice(ranges, 1):
                # One batch in the network, and enough behind it to keep every thread busy.
                depth = 1 + max(1, -(-2 * self.workers // len(rows)))
                ahead.append(self._submit(pool, rows, allocate))
                ahead.extend(self._submit(pool, more, allocate) for more in islice(ranges, depth))
            while ahead:
                yield ahead.popleft().result()
                ahead.extend(self._submit(pool, more, allocate) for more in islice(ranges, 1))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, rows: range, allocate: Allocate) -> _Pending:
        pixels = allocate((len(rows), self.views, *self.preprocessing.crop, 3))
        futures = [
            pool.submit(self._load, row, slot) for row, slot in zip(rows, pixels, strict=True)
        ]
        return _Pending(rows, pixels, futures)

    def _load(self, row: int, slot: NDArray[np.uint8]) -> tuple[str, str]:
        """Fill the row's slot (V, H, W, 3), and return the pixel hash and the failure's reason."""
        try:
            image = self.dataset.images.read(row)
            check_shape(image)
        except ImageError as error:
            slot[:] = 0
            return "", error.reason
        image_id = str(self.dataset.image_id[row])
        for view in range(self.views):
            slot[view] = self.preprocessing(view_of(image, image_id=image_id, view=view))
        return pixel_hash(image), ""


@dataclass(frozen=True, eq=False)
class _Pending:
    """A batch whose rows the threads are filling."""

    rows: range
    pixels: NDArray[np.uint8]
    futures: list[Future[tuple[str, str]]]

    def result(self) -> Batch:
        found = [future.result() for future in self.futures]
        return Batch(
            self.rows, self.pixels, [pixels for pixels, _ in found], [reason for _, reason in found]
        )
