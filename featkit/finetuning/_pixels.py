"""Pixels: a data set decoded once, at the size that training starts from, shared by all Runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from featkit.backbones.preprocessing import Preprocessing
from featkit.data.dataset import Dataset, ImageSource
from featkit.data.decoding import ImageError, check_shape, decode_pixels, file_hash, pixel_hash
from featkit.data.sources import EncodedImages
from featkit.files import disk_errors, output_lock, write_json
from featkit.fingerprints import fingerprint
from featkit.hardware.devices import worked_seconds
from featkit.progress import Progress

__all__ = ["Pixels", "Raw", "decoded"]

_AHEAD = 64
"""Images that are decoded ahead of the one that is written."""

_CPU = torch.device("cpu")

_LEDGER, _PIXELS, _SHAPES = "images.json", "pixels.bin", "shapes.npy"


@dataclass(frozen=True, eq=False)
class Raw:
    """Resized images of any shapes, one after the other.

    Attributes:
        pixels: Of all images row by row, uint8 (P, 3).
        start: Where in `pixels` each image begins, shape (B,).
        shapes: Heights and widths, shape (B, 2).
    """

    pixels: torch.Tensor
    start: NDArray[np.int64]
    shapes: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pixels:
    """The resized images of a data set, in a file that is mapped into memory.

    Attributes:
        folder: Where the file is.
        image_hash: Hash of each decoded image, "" = not readable, shape (N,).
        file_hash: Hash of each image's file, "" = not readable or not from a file, shape (N,).
        failures: Why an image cannot be read, by row.
        seconds: What decoding an image took on average, in seconds of all cores.
    """

    folder: Path
    image_hash: NDArray[np.str_]
    file_hash: NDArray[np.str_]
    failures: dict[int, str]
    seconds: float

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Which images could be decoded, shape (N,)."""
        return np.asarray(self.image_hash != "")

    @cached_property
    def _shapes(self) -> NDArray[np.int64]:
        shapes: NDArray[np.int64] = np.load(self.folder / _SHAPES)
        return shapes

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(3 * self._shapes.prod(axis=1))])

    @cached_property
    def _flat(self) -> NDArray[np.uint8]:
        return np.memmap(self.folder / _PIXELS, dtype=np.uint8, mode="r")

    def image(self, row: int) -> NDArray[np.uint8]:
        """Return the resized image of a readable row, shape (H, W, 3), not to be written to."""
        flat = self._flat[self._starts[row] : self._starts[row + 1]]
        return flat.reshape(*self._shapes[row], 3)

    def raw(self, rows: NDArray[np.intp], *, pinned: bool = False) -> Raw:
        """Return the resized images of readable rows.

        Args:
            rows: Which, shape (B,).
            pinned: In memory from which a GPU copies while it computes.
        """
        shapes = self._shapes[rows]
        sizes = shapes.prod(axis=1)
        start = np.cumsum(sizes) - sizes
        pixels = torch.empty((int(sizes.sum()), 3), dtype=torch.uint8, pin_memory=pinned)
        flat = pixels.numpy().reshape(-1)
        for row, first, size in zip(rows, 3 * start, 3 * sizes, strict=True):
            flat[first : first + size] = self._flat[self._starts[row] : self._starts[row + 1]]
        return Raw(pixels, start, shapes)

    def forget(self) -> None:
        """Remove the images, which can be had again; hashes and failures stay."""
        for name in (_PIXELS, _SHAPES):
            (self.folder / name).unlink(missing_ok=True)


def decoded(
    dataset: Dataset,
    preprocessing: Preprocessing,
    folder: Path,
    *,
    images: bool,
    workers: int,
    progress: Progress,
) -> Pixels:
    """Decode every image, unless the folder says what came of it before.

    Args:
        dataset: The images.
        preprocessing: Says what they are resized to.
        folder: For the work; what is in it of another data set or size is replaced.
        images: Whether the images themselves are needed, or hashes and failures will do.
        workers: Threads that decode.
        progress: Told of every decoded image.

    Raises:
        StoreError: The disk is full, the folder cannot be written, or another process writes it.
    """
    identity = fingerprint("pixels", 3, dataset.fingerprint, preprocessing.to_dict())
    ledger = _ledger(folder / _LEDGER, identity)
    if ledger is None or (images and not (folder / _SHAPES).exists()):
        with output_lock(folder), disk_errors(folder):
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
            ledger = _decode(dataset, preprocessing, folder, workers, progress)
            write_json(folder / _LEDGER, {"identity": identity, **ledger})
    failures = ledger["failures"]
    return Pixels(
        folder=folder,
        image_hash=np.array(ledger["image_hash"], dtype=np.str_),
        file_hash=np.array(ledger["file_hash"], dtype=np.str_),
        failures={int(row): reason for row, reason in failures.items()},
        seconds=float(ledger["seconds"]),
    )


def _ledger(path: Path, identity: str) -> dict[str, Any] | None:
    try:
        ledger = json.loads(path.read_text())
        return ledger if ledger["identity"] == identity else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _decode(
    dataset: Dataset, preprocessing: Preprocessing, folder: Path, workers: int, progress: Progress
) -> dict[str, Any]:
    """Write the images; return hashes, failures and cost."""
    hashes: list[str] = []
    files: list[str] = []
    failures: dict[int, str] = {}
    shapes = np.zeros((len(dataset), 2), dtype=np.int64)
    began = worked_seconds(_CPU)
    progress.start("decode", total=len(dataset), done=0, unit="images")
    with (folder / _PIXELS).open("wb") as file:
        for row, image in enumerate(_images(dataset, preprocessing, workers)):
            hashes.append(image.image_hash)
            files.append(image.file_hash)
            if image.pixels is None:
                failures[row] = image.reason
            else:
                shapes[row] = image.pixels.shape[:2]
                file.write(image.pixels.tobytes())
            progress.advance(1)
    np.save(folder / _SHAPES, shapes)  # the last to be written: where it is, all is
    progress.finish()
    seconds = (worked_seconds(_CPU) - began) / max(1, len(dataset))
    return {
        "image_hash": hashes,
        "file_hash": files,
        "failures": failures,
        "seconds": seconds,
    }


class _Image(NamedTuple):
    """An image, resized, and by what it is known again; or why it cannot be read."""

    pixels: NDArray[np.uint8] | None
    image_hash: str = ""
    file_hash: str = ""
    reason: str = ""


def _images(dataset: Dataset, preprocessing: Preprocessing, workers: int) -> Iterator[_Image]:
    """Yield every image."""

    def load(row: int) -> _Image:
        try:
            pixels, file = _opened(dataset.images, row)
            check_shape(*pixels.shape[:2])
        except ImageError as error:
            return _Image(None, reason=error.reason)
        resized = np.ascontiguousarray(preprocessing.resized(pixels))
        return _Image(resized, pixel_hash(pixels), file)

    rows = iter(range(len(dataset)))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="featkit-decode")
    try:
        ahead = [pool.submit(load, row) for row in islice(rows, _AHEAD)]
        while ahead:
            yield ahead.pop(0).result()
            ahead += [pool.submit(load, row) for row in islice(rows, 1)]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _opened(images: ImageSource, row: int) -> tuple[NDArray[np.uint8], str]:
    """Return the pixels of an image (H, W, 3), and the hash of its file, "" where it has none."""
    if isinstance(images, EncodedImages):
        data = images.data(row)
        return decode_pixels(data), file_hash(data)
    return np.array(images.read(row)), ""
