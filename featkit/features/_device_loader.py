"""The loader of a GPU: threads read files, which it decodes and resizes in batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import cycle

import numpy as np
import torch
from torch import Tensor

from featkit.backbones.preprocessing import Preprocessing
from featkit.data.dataset import Dataset
from featkit.data.decoding import ImageError, decode_pixels, file_hash, pixel_hash
from featkit.data.sources import EncodedImages, concurrent_reads
from featkit.features._batch import Batch, ahead
from featkit.features._device_decoding import (
    Content,
    check_decoding,
    decodable,
    on_device,
    planes,
    unable,
)

__all__ = ["DeviceLoader"]

_PIXELS = 2**25
"""So many are decoded and resized together: 100 MB, and four times that in floats."""


@dataclass(frozen=True)
class _Read:
    """An image on the host.

    Attributes:
        content: See `Content`.
        size: How many pixels it has.
        image_hash: Of the file, or of the pixels where the host decoded them.
    """

    content: Content
    size: int = 0
    image_hash: str = ""


@dataclass(frozen=True)
class DeviceLoader:
    """Decodes and resizes JPEG files on the devices that compute, which take batches in turn.

    Whatever else there is (other formats, unusual or damaged files) is decoded on the host. Who
    decodes an image depends on its file alone. JPEG files of the usual kind are known again by
    themselves, all else by its pixels.

    Attributes:
        dataset: The images.
        preprocessing: How they become the network's input.
        workers: Threads that read files.
        devices: Where pixels are to be.
    """

    dataset: Dataset
    preprocessing: Preprocessing
    workers: int
    devices: Sequence[torch.device]

    def batches(self, wanted: Iterable[range]) -> Generator[Batch]:
        """Yield the batches of these rows in order (see `Loads`).

        Raises:
            BackboneError: A device fails at decoding, or its memory does not suffice.
        """
        for device in set(self.devices):
            check_decoding(device)
        threads = max(self.workers, concurrent_reads(self.dataset.images))
        readers = ThreadPoolExecutor(threads, thread_name_prefix="featkit-read")
        decoders = ThreadPoolExecutor(len(self.devices), thread_name_prefix="featkit-decode")
        places = cycle(self.devices)

        def begin(rows: range) -> Future[Batch]:
            read = [readers.submit(self._read, row) for row in rows]
            return decoders.submit(self._batch, rows, read, next(places))

        try:
            yield from ahead(wanted, begin, threads=threads, devices=len(self.devices))
        finally:
            for pool in (readers, decoders):
                pool.shutdown(wait=True, cancel_futures=True)

    def _read(self, row: int) -> _Read:
        images = self.dataset.images
        try:
            if isinstance(images, EncodedImages):
                data = images.data(row)
                size = decodable(data)
                if size:
                    return _Read(data, size, file_hash(data))
                pixels = decode_pixels(data)
            else:
                pixels = np.array(images.read(row))
        except ImageError as error:
            return _Read(error)
        return _Read(planes(pixels), pixels.size // 3, pixel_hash(pixels))

    def _batch(self, rows: range, read: Sequence[Future[_Read]], device: torch.device) -> Batch:
        found = [each.result() for each in read]
        shape = (len(found), 1, *self.preprocessing.crop, 3)
        reason = [""] * len(found)
        with torch.no_grad(), _beside(device):
            pixels = torch.zeros(shape, dtype=torch.uint8, device=device)
            for numbers in _portions(found):
                images = on_device([found[number].content for number in numbers], device)
                for number, image in zip(numbers, images, strict=True):
                    if isinstance(image, ImageError):
                        reason[number] = image.reason
                self._resize(dict(zip(numbers, images, strict=True)), pixels)
        hashes = [
            "" if failure else each.image_hash for failure, each in zip(reason, found, strict=True)
        ]
        return Batch(rows, pixels, hashes, reason)

    def _resize(self, images: Mapping[int, Tensor | ImageError], pixels: Tensor) -> None:
        """Put images (3, H, W) into their places among all (n, 1, H, W, 3); one size at a time."""
        alike: defaultdict[torch.Size, dict[int, Tensor]] = defaultdict(dict)
        for number, image in images.items():
            if isinstance(image, Tensor):
                alike[image.shape][number] = image
        for some in alike.values():
            resized = self.preprocessing.on_device(torch.stack(list(some.values())))
            pixels[list(some), 0] = resized


def _portions(found: Sequence[_Read]) -> Iterator[list[int]]:
    """Yield the numbers of images, as many at a time as memory bears."""
    numbers: list[int] = []
    held = 0
    for number, each in enumerate(found):
        if numbers and held + each.size > _PIXELS:
            yield numbers
            numbers, held = [], 0
        numbers.append(number)
        held += each.size
    yield numbers


@contextmanager
def _beside(device: torch.device) -> Iterator[None]:
    """Work beside whatever else the device does; at the end, all of it is done.

    Raises:
        BackboneError: The device's memory does not suffice.
    """
    if device.type != "cuda":
        yield
        return
    stream = _stream(device)
    try:
        with torch.cuda.stream(stream):
            yield
        stream.synchronize()
    except torch.OutOfMemoryError as error:
        raise unable(device, error) from error


@cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    """Return the stream of a device on which its images are decoded: memory is kept for each."""
    return torch.cuda.Stream(device)
