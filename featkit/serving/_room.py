"""Room: how much may be inside the server at once, from all requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from featkit.serving.limits import Limits
from featkit.serving.refusals import RefusedError

__all__ = ["Room", "Visit"]


class Room:
    """Counts images and bytes from the moment their request begins until it is answered.

    Args:
        limits: What may be inside.

    Attributes:
        images: So many are inside.
        bytes: So many of requests' bodies are.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.images = self.bytes = 0

    @contextmanager
    def visit(self) -> Iterator[Visit]:
        """Let a request in, as one image until it is known how many it has.

        Raises:
            RefusedError: There is no room.
        """
        visit = Visit(self)
        try:
            visit.bring(images=1)
            yield visit
        finally:
            self.images -= visit.images
            self.bytes -= visit.bytes

    def take(self, images: int, size: int) -> None:
        """Let images and bytes in.

        Raises:
            RefusedError: There is no room for all of them.
        """
        if self.images + images > self._limits.waiting:
            self._full(
                f"{self.images} images are being answered, of {self._limits.waiting} at once"
            )
        if self.bytes + size > self._limits.bytes_together:
            self._full(f"{self.bytes / 1e6:.0f} MB of images are being answered")
        self.images += images
        self.bytes += size

    def _full(self, message: str) -> None:
        raise RefusedError(503, "too_busy", message, "Try again in a moment")


@dataclass
class Visit:
    """What a request has brought.

    Attributes:
        room: Where it is.
        images: How many.
        bytes: Of its body.
    """

    room: Room
    images: int = 0
    bytes: int = 0

    def bring(self, *, images: int = 0, size: int = 0) -> None:
        """Bring more of it.

        Raises:
            RefusedError: There is no room for it.
        """
        self.room.take(images, size)
        self.images += images
        self.bytes += size
