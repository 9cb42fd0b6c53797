"""What a decoder does: files come through a pipe, and go as the network's input.

It runs in a process of its own, which a malformed file may end. What it sends is plain bytes and
never pickled, so that a decoder that was taken over gains no say in the server.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import resource
import signal
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from featkit.backbones import Preprocessing
from featkit.data import ImageError
from featkit.data.decoding import check_shape, decode_pixels, image_size
from featkit.features import all_views

__all__ = ["PREVIEW", "Work", "decode_for_ever"]

PREVIEW = b"preview"
"""The wish for a small picture beside the network's input."""

_SIDE = 640
"""Pixels of a preview's longer side."""


@dataclass(frozen=True)
class Work:
    """What a decoder makes of files.

    Attributes:
        preprocessing: How images become the network's input.
        views: Views of each.
        pixels: Of an image, at most.
        memory: Bytes that it may take beyond what it has when it begins.
    """

    preprocessing: Preprocessing
    views: int
    pixels: int
    memory: int


def decode_for_ever(pipe: Connection, work: Work) -> None:
    """Answer every file that comes, after what is wished of it.

    With a line of JSON, and where the file is an image with its pixels and, if wished, a preview.
    """
    _die_with_server()
    _confine(work.memory)
    with suppress(EOFError, OSError):  # the server is gone
        while True:
            wish = pipe.recv_bytes()
            told, sent = _decoded(pipe.recv_bytes(), work, preview=wish == PREVIEW)
            pipe.send_bytes(json.dumps(told).encode())
            for each in sent:
                pipe.send_bytes(each)


def _die_with_server() -> None:
    """Have the kernel end this process once the server is gone, whatever is being decoded.

    The server holds the other end of a pipe. When that closes the kernel sends SIGIO, which no
    thread needs to wait for, and which ends a process that does not heed it.
    """
    server = parent_process()
    if server is None:  # this process decodes for itself
        return
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    pipe = int(server.sentinel)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if wait([pipe], timeout=0):  # it went just now
        os._exit(1)


def _confine(memory: int) -> None:
    """Write no file, take no more memory than allowed, and leave interrupts to the server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")  # damaged tags are no news
    torch.set_num_threads(1)
    used = Path("/proc/self/statm").read_text(encoding="ascii")
    most = int(used.split()[0]) * resource.getpagesize() + memory
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(kind, (0, 0))


def _decoded(
    content: bytes, work: Work, *, preview: bool = False
) -> tuple[Mapping[str, object], list[bytes]]:
    try:
        width, height = image_size(content)
        if width * height > work.pixels:
            return {"refused": "pixels", "pixels": width * height}, []
        image = decode_pixels(content)
        height, width, _ = image.shape
        check_shape(height, width)
        # Views are drawn by the file, so that the same file gets the same answer.
        name = hashlib.sha256(content).hexdigest()
        views = all_views(image, work.preprocessing, views=work.views, image_id=name)
        pixels = np.stack(list(views))
        small = [_small(image)] if preview else []
    except ImageError as error:
        return {"refused": "image", "reason": error.reason}, []
    except (MemoryError, RuntimeError) as error:
        # PyTorch has no error of its own for memory that it cannot have.
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        return {"refused": "memory"}, []
    seen = work.preprocessing.seen(height, width)
    return {"width": width, "height": height, "seen": seen}, [pixels.tobytes(), *small]


def _small(image: NDArray[np.uint8]) -> bytes:
    """Return a JPEG that is no larger than a page shows it."""
    picture, buffer = Image.fromarray(image), BytesIO()
    picture.thumbnail((_SIDE, _SIDE))
    picture.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
