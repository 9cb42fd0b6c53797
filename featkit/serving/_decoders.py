"""Decoders as the server sees them: each a process that is started again when it dies."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Event, Lock, Timer
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from featkit.serving._decoder import PREVIEW, Work, decode_for_ever

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

__all__ = ["Decoded", "Decoder", "LostError", "Undecoded"]

_MOST_TOLD = 1 << 16
"""Bytes that a decoder may say beside the pixels."""

_MOST_SHOWN = 1 << 21
"""Bytes of a preview: more than any JPEG of its size has."""

# A process that has imported all that decoders need and nothing else, forked for each of them:
# a new one is there in milliseconds. The list is the interpreter's, not the context's.
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["__main__", "featkit.serving._decoder"])


class LostError(Exception):
    """A decoder has died, or talks nonsense."""


@dataclass(frozen=True)
class Undecoded:
    """Why a file is no image.

    Attributes:
        refused: `image`, `pixels`, `memory`, `time` or `lost`.
        reason: What is wrong with it, of `image`.
        pixels: How many it has, of `pixels`.
    """

    refused: str
    reason: str = ""
    pixels: int = 0


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a decoder makes of a file.

    Attributes:
        pixels: Views, (V, H, W, 3), uint8.
        width: Of the upright image, in pixels.
        height: Of the upright image.
        seen: What part of it the network sees, as `Preprocessing.seen` has it.
        preview: A small JPEG; None where none was asked for.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    seen: tuple[float, float, float, float]
    preview: bytes | None


class Decoder:
    """A process that decodes one file at a time.

    Args:
        work: What it makes of files.

    Attributes:
        started: How often a process was started.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._shape = (work.views, *work.preprocessing.crop, 3)
        self._process: ForkServerProcess | None = None
        self._pipe: Connection | None = None
        self._lock, self._ended = Lock(), False
        self.started = 0

    @property
    def pid(self) -> int | None:
        """Of the process; None where there is none."""
        return None if self._process is None else self._process.pid

    def start(self) -> tuple[ForkServerProcess, Connection]:
        """Return the process and the way to it, a new one where there is none.

        Raises:
            LostError: The decoder has ended for good.
        """
        with self._lock:
            if self._ended:
                raise LostError
            if self._process is None or self._pipe is None:
                self._pipe, theirs = _CONTEXT.Pipe()
                self._process = _CONTEXT.Process(
                    target=decode_for_ever, args=(theirs, self._work), daemon=True
                )
                self._process.start()
                theirs.close()
                self.started += 1
            return self._process, self._pipe

    def decode(
        self, content: bytes, *, seconds: float, preview: bool = False
    ) -> Decoded | Undecoded:
        """Return what a decoder makes of a file; blocks.

        Args:
            content: The file's.
            seconds: After which the process is ended.
            preview: Whether to make a small JPEG of it.

        Raises:
            TimeoutError: It took longer.
            LostError: The process died of it, or says what no decoder says.
        """
        process, pipe = self.start()
        late = Event()

        def give_up() -> None:
            late.set()
            process.kill()

        timer = Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            pipe.send_bytes(PREVIEW if preview else b"")
            pipe.send_bytes(content)
            told = json.loads(pipe.recv_bytes(_MOST_TOLD))
            if "refused" in told:
                return _undecoded(told)
            return self._decoded(pipe, told, preview=preview)
        except (EOFError, OSError, LookupError, RecursionError, TypeError, ValueError):
            self._discard()
            if late.is_set():
                raise TimeoutError from None
            raise LostError from None
        finally:
            timer.cancel()

    def end(self) -> None:
        """End the process for good, whatever it does."""
        with self._lock:
            self._ended = True
            if self._process is not None:
                self._process.kill()
                self._process.join()

    def _decoded(self, pipe: Connection, told: Mapping[str, Any], *, preview: bool) -> Decoded:
        width, height, seen = int(told["width"]), int(told["height"]), told["seen"]
        left, top, right, bottom = map(float, seen)
        content = pipe.recv_bytes(math.prod(self._shape))
        pixels = np.frombuffer(content, np.uint8).reshape(self._shape)
        small = pipe.recv_bytes(_MOST_SHOWN) if preview else None
        return Decoded(pixels, width, height, (left, top, right, bottom), small)

    def _discard(self) -> None:
        with self._lock:
            process, pipe = self._process, self._pipe
            self._process = self._pipe = None
        if process is not None and pipe is not None:
            with suppress(OSError):
                pipe.close()
            process.kill()
            process.join()


def _undecoded(told: Mapping[str, Any]) -> Undecoded:
    if told["refused"] not in ("image", "pixels", "memory"):
        raise ValueError(told["refused"])
    return Undecoded(told["refused"], str(told.get("reason", "")), int(told.get("pixels", 0)))
