"""The loader of a GPU: threads read files, which it decodes and resizes in batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import torch
from torch import Tensor

from featkit.backbones.preprocessing import Preprocessing
from featkit.data.dataset import Dataset
from featkit.data.decoding import ImageError, decode_pixels, file_hash, pixel_hash, plain_jpeg
from featkit.data.sources import EncodedImages, concurrent_reads
from featkit.errors import BackboneError
from featkit.features._batch import Batch, ahead
from featkit.features._device_decoding import (
    OUT_OF_MEMORY,
    Content,
    check_decoding,
    on_device,
    planes,
)

__all__ = ["DeviceLoader"]

_RESIZED = 32
"""Images that are resized together, if they are of one size."""

_JPEG_END, _PADDING = b"\xff\xd9", 64
"""What a whole JPEG ends with, but for so many bytes of padding."""


@dataclass(frozen=True)
class _Read:
    """An image on the host.

    Attributes:
        content: See `Content`.
        image_hash: Of the file, or of the pixels where the host decoded them.
    """

    content: Content
    image_hash: str = ""


@dataclass(frozen=True)
class _Place:
    """Where a batch is decoded.

    Attributes:
        device: The device.
        stream: Its work that goes on beside the arithmetic; None on a CPU.
    """

    device: torch.device
    stream: torch.cuda.Stream | None

    @classmethod
    def on(cls, device: torch.device) -> _Place:
        return cls(device, torch.cuda.Stream(device) if device.type == "cuda" else None)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Work beside whatever else the device does; at the end, all of it is done."""
        if self.stream is None:
            yield
            return
        with torch.cuda.stream(self.stream):
            yield
        self.stream.synchronize()


@dataclass(frozen=True)
class DeviceLoader:
    """Decodes and resizes JPEG files on the devices that compute, which take batches in turn.

    Whatever else there is (other formats, unusual or damaged files) is decoded on the host, by
    what is in the file alone. Images that a device decodes are known again by their files.

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
            BackboneError: A device cannot decode, or its memory does not suffice.
        """
        for device in set(self.devices):
            check_decoding(device)
        threads = max(self.workers, concurrent_reads(self.dataset.images))
        readers = ThreadPoolExecutor(threads, thread_name_prefix="featkit-read")
        decoders = ThreadPoolExecutor(len(self.devices), thread_name_prefix="featkit-decode")
        places = cycle([_Place.on(device) for device in self.devices])

        def begin(rows: range) -> Future[Batch]:
            read = [readers.submit(self._read, row) for row in rows]
            return decoders.submit(self._batch, rows, read, next(places))

        try:
            yield from ahead(wanted, begin, threads=threads)
        finally:
            for pool in (readers, decoders):
                pool.shutdown(wait=True, cancel_futures=True)

    def _read(self, row: int) -> _Read:
        images = self.dataset.images
        try:
            if isinstance(images, EncodedImages):
                data = images.data(row)
                if plain_jpeg(data) and _JPEG_END in data[-_PADDING - len(_JPEG_END) :]:
                    return _Read(data, file_hash(data))
                pixels = decode_pixels(data)
            else:
                pixels = np.array(images.read(row))
        except ImageError as error:
            return _Read(error)
        return _Read(planes(pixels), pixel_hash(pixels))

    def _batch(self, rows: range, read: Sequence[Future[_Read]], place: _Place) -> Batch:
        found = [each.result() for each in read]
        with torch.no_grad(), place.beside():
            try:
                images = on_device([each.content for each in found], place.device)
                pixels = self._resized(images, place.device)
            except RuntimeError as error:
                if OUT_OF_MEMORY in str(error):
                    raise _no_memory(place.device) from error
                raise
        reason = [image.reason if isinstance(image, ImageError) else "" for image in images]
        hashes = [
            "" if failure else each.image_hash for failure, each in zip(reason, found, strict=True)
        ]
        return Batch(rows, pixels, hashes, reason)

    def _resized(self, images: Sequence[Tensor | ImageError], device: torch.device) -> Tensor:
        """Return all images as the network takes them (n, 1, H, W, 3), zeros where one failed."""
        pixels = torch.zeros(
            (len(images), 1, *self.preprocessing.crop, 3), dtype=torch.uint8, device=device
        )
        fine = {n: image for n, image in enumerate(images) if isinstance(image, Tensor)}
        alike: defaultdict[torch.Size, list[int]] = defaultdict(list)
        for number, image in fine.items():
            alike[image.shape].append(number)
        for numbers in alike.values():
            for start in range(0, len(numbers), _RESIZED):
                some = numbers[start : start + _RESIZED]
                originals = torch.stack([fine[number] for number in some])
                pixels[some, 0] = self.preprocessing.on_device(originals)
        return pixels


def _no_memory(device: torch.device) -> BackboneError:
    return BackboneError(
        f"images do not fit into the memory of {device}",
        cause="they are decoded there, and memory ran out",
        remedy="Use --decoder cpu, or a smaller --batch-size",
    )
