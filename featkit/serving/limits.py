"""What a server takes, and no more."""

from __future__ import annotations

from dataclasses import dataclass

from featkit.errors import UsageError

__all__ = ["Limits"]

_TOGETHER = 16
"""Requests of the largest size that may be held in memory at once."""

_BYTES_A_PIXEL = 40
"""Of a decoder: RGBA over white is the most that an image is copied, before it is resized."""

_LEAST_MEMORY = 1 << 30
"""Of a decoder beside its pixels, beyond what it has when it begins, in bytes."""

_SHARE_OF_DECODING = 1 / 3
"""Of a request's time: one file that takes for ever leaves time to answer for the others."""


@dataclass(frozen=True)
class Limits:
    """Of a request, and of all that wait.

    Attributes:
        megabytes: Of a request's body.
        megapixels: Of an image.
        images: In a request.
        seconds: Until a request is answered, whatever the answer.
        waiting: Images being answered at once, of all requests; more are turned away. A request
            counts as one until it has come in.
    """

    megabytes: float = 25.0
    megapixels: float = 50.0
    images: int = 16
    seconds: float = 30.0
    waiting: int = 128

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < float("inf"):
                raise UsageError(
                    f"a limit of {value:g} {name}",
                    cause="it is no finite number above 0",
                    remedy="Give one",
                )
        if self.waiting < self.images:
            raise UsageError(
                f"a limit of {self.waiting} images at once",
                cause=f"a request may hold {self.images}",
                remedy="Let as many be answered at once as a request may hold, or more",
            )

    @property
    def bytes(self) -> int:
        """Of a request's body."""
        return int(self.megabytes * 1_000_000)

    @property
    def bytes_together(self) -> int:
        """Of all requests that are being answered."""
        return _TOGETHER * self.bytes

    @property
    def pixels(self) -> int:
        """Of an image."""
        return int(self.megapixels * 1_000_000)

    @property
    def decoding_seconds(self) -> float:
        """Until a file is given up that is being decoded."""
        return self.seconds * _SHARE_OF_DECODING

    @property
    def decoder_bytes(self) -> int:
        """Memory that a process may take to decode, beyond what it has when it begins."""
        return _LEAST_MEMORY + _BYTES_A_PIXEL * self.pixels
