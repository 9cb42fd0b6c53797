"""Preparing: an uploaded file becomes the network's input, in a process that may die of it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from featkit.backbones import Preprocessing
from featkit.errors import FeatkitError
from featkit.serving._decoder import Work
from featkit.serving._decoders import Decoded, Decoder, LostError, Undecoded
from featkit.serving.limits import Limits
from featkit.serving.refusals import RefusedError, ending

__all__ = ["Prepared", "Preparing"]

_FILES = "Send a JPEG, PNG, TIFF, BMP, WebP or GIF file"

_TRIES = 2
"""A decoder may have died of something else than this file."""

_WAKING = 120.0
"""Seconds that a decoder may take to its first image."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image as the network takes it.

    Attributes:
        pixels: Views, (V, H, W, 3), uint8.
        width: Of the upright image, in pixels.
        height: Of the upright image.
        seen: What part of it the network sees: left, top, right, bottom as shares of width and
            height; below 0 or above 1 where the network's input is larger than the image.
        preview: The upright image as a small JPEG; None where none was asked for.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    seen: tuple[float, float, float, float]
    preview: bytes | None = None


class Preparing:
    """Decoders, each with a thread that waits for it.

    Args:
        preprocessing: How images become the network's input.
        views: Views of each.
        limits: What is taken.
        processes: How many.
    """

    def __init__(
        self, preprocessing: Preprocessing, *, views: int, limits: Limits, processes: int
    ) -> None:
        self._limits = limits
        work = Work(preprocessing, views, limits.pixels, limits.decoder_bytes)
        self.decoders = tuple(Decoder(work) for _ in range(processes))
        self._free: asyncio.Queue[Decoder] = asyncio.Queue()
        for decoder in self.decoders:
            self._free.put_nowait(decoder)
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="featkit-decode")

    @property
    def lost(self) -> int:
        """Processes that had to be started again."""
        return sum(max(0, decoder.started - 1) for decoder in self.decoders)

    async def wake(self) -> None:
        """Have the processes begin, so that the first image need not wait for them.

        Raises:
            FeatkitError: They do not.
        """
        buffer = BytesIO()
        Image.new("RGB", (32, 32)).save(buffer, "PNG")
        loop, small = asyncio.get_running_loop(), buffer.getvalue()
        try:
            await asyncio.gather(
                *(
                    loop.run_in_executor(self._threads, _wake, decoder, small)
                    for decoder in self.decoders
                )
            )
        except (LostError, TimeoutError):
            raise FeatkitError(
                "a decoder does not start",
                cause="its process ended, or said nothing; there may be too little memory",
                remedy="Give fewer --processes, or a smaller --max-megapixels",
            ) from None

    async def prepare(self, content: bytes, *, preview: bool = False) -> Prepared:
        """Return an image as the network takes it.

        Args:
            content: Its file's.
            preview: Whether to make a small JPEG of it.

        Raises:
            RefusedError: It is no image that can be read, too large, or takes too long.
        """
        # Who leaves while the file waits takes it along; one that is being decoded is finished,
        # and its decoder is free only then.
        decoder = await self._free.get()
        try:
            doing = asyncio.get_running_loop().run_in_executor(
                self._threads, self._decoded, decoder, content, preview
            )
        except RuntimeError:  # it has closed meanwhile
            self._free.put_nowait(decoder)
            raise ending() from None
        doing.add_done_callback(lambda _: self._free.put_nowait(decoder))
        found = await asyncio.shield(doing)
        if isinstance(found, Decoded):
            return Prepared(found.pixels, found.width, found.height, found.seen, found.preview)
        raise self._refusal(found)

    def close(self) -> None:
        """End the processes."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for decoder in self.decoders:
            decoder.end()
        self._threads.shutdown(wait=True)

    def _decoded(self, decoder: Decoder, content: bytes, preview: bool) -> Decoded | Undecoded:
        seconds = self._limits.decoding_seconds
        for _ in range(_TRIES):
            try:
                return decoder.decode(content, seconds=seconds, preview=preview)
            except LostError:
                continue
            except TimeoutError:
                return Undecoded("time")
        return Undecoded("lost")

    def _refusal(self, found: Undecoded) -> RefusedError:
        why = found.refused
        if why == "pixels":
            most, pixels = self._limits.megapixels, found.pixels / 1e6
            message = f"the image has {pixels:,.1f} megapixels, more than {most:g}"
            return RefusedError(413, "too_many_pixels", message, "Send a smaller one")
        if why == "time":
            seconds = self._limits.decoding_seconds
            message = f"the image is not decoded after {seconds:g} s"
            return RefusedError(422, "too_slow", message, "Send a smaller or simpler file")
        reason = {
            "lost": "its decoder died of it",
            "memory": "it takes too much memory",
        }.get(why, found.reason)
        return RefusedError(422, "not_readable", f"the image cannot be read: {reason}", _FILES)


def _wake(decoder: Decoder, small: bytes) -> None:
    decoder.decode(small, seconds=_WAKING)
