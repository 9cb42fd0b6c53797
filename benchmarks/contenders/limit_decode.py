"""Decoding alone, from a JPEG file to the pixels that a network takes, by the best libraries.

Arguments: `images` (folder), `way` (one of `WAYS`), `resize` and `crop` (px), `workers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from benchmarks.contenders.stopwatch import Stopwatch, arguments

__all__ = ["WAYS"]

Pixels = NDArray[np.uint8]


def pillow(data: bytes, resize: int, crop: int) -> Pixels:
    """Decode and resize as timm's transform does: the reference."""
    image = Image.open(BytesIO(data)).convert("RGB")
    scale = resize / min(image.size)
    image = image.resize(
        (round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC
    )
    return _cropped(np.asarray(image), crop)


def simplejpeg_full(data: bytes, resize: int, crop: int) -> Pixels:
    """Decode at full size, resize by OpenCV."""
    return _resized(simplejpeg.decode_jpeg(data), resize, crop)


def simplejpeg_scaled(data: bytes, resize: int, crop: int) -> Pixels:
    """Decode at the smallest of libjpeg's scales that is not below the wanted size, then resize."""
    decoded = simplejpeg.decode_jpeg(
        data, fastdct=True, fastupsample=True, min_height=resize, min_width=resize
    )
    return _resized(decoded, resize, crop)


def simplejpeg_half(data: bytes, resize: int, crop: int) -> Pixels:
    """Decode at half size, which is the fastest to decode, and resize whatever that makes."""
    height, width, *_ = simplejpeg.decode_jpeg_header(data)
    decoded = simplejpeg.decode_jpeg(
        data, fastdct=True, fastupsample=True, min_height=height // 2, min_width=width // 2
    )
    return _resized(decoded, resize, crop)


def opencv_half(data: bytes, resize: int, crop: int) -> Pixels:
    """Decode at half size by OpenCV alone."""
    decoded = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_COLOR_2))
    return _resized(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), resize, crop)


WAYS: Mapping[str, Callable[[bytes, int, int], Pixels]] = MappingProxyType(
    {
        "pillow": pillow,
        "simplejpeg": simplejpeg_full,
        "simplejpeg scaled": simplejpeg_scaled,
        "simplejpeg half": simplejpeg_half,
        "opencv half": opencv_half,
    }
)
"""Ways to decode, the first one as faithful as it gets, the others in some order."""


class Task(NamedTuple):
    """What is done to each image."""

    way: str
    resize: int
    crop: int


def main() -> None:
    """Decode all images, shared out among processes."""
    wanted = arguments()
    paths = sorted(Path(wanted["images"]).rglob("*.jpg"))
    task = Task(wanted["way"], wanted["resize"], wanted["crop"])
    workers = wanted["workers"]
    parts = [(task, paths[start::workers]) for start in range(workers)]
    cv2.setNumThreads(1)
    with get_context("fork").Pool(workers) as pool:
        pool.map(_decode_all, [(task, paths[:1])] * workers, chunksize=1)
        watch = Stopwatch()
        pool.map(_decode_all, parts, chunksize=1)
        watch.stop(len(paths))


def _decode_all(part: tuple[Task, list[Path]]) -> None:
    task, paths = part
    decode = WAYS[task.way]
    for path in paths:
        decode(path.read_bytes(), task.resize, task.crop)


def _resized(image: NDArray[Any], resize: int, crop: int) -> Pixels:
    height, width = image.shape[:2]
    scale = resize / min(height, width)
    size = (round(width * scale), round(height * scale))
    shrinks = scale < 0.75  # nearer to 1, linear interpolation meets all pixels anyway
    return _cropped(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR),
        crop,
    )


def _cropped(image: NDArray[Any], crop: int) -> Pixels:
    top, left = ((side - crop) // 2 for side in image.shape[:2])
    return np.ascontiguousarray(image[top : top + crop, left : left + crop], dtype=np.uint8)


if __name__ == "__main__":
    main()
