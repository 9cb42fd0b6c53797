"""The forward pass: uint8 pixels on the host in, float32 features on the host out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from featkit.backbones.backbone import Backbone
from featkit.errors import BackboneError
from featkit.hardware.devices import peak_memory, repeatable, worked_seconds

__all__ = ["DTYPES", "Forward", "placed"]

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""What the network computes in, by precision."""

_OUT_OF_MEMORY = ("DefaultCPUAllocator", "not enough memory", "out of memory", "ALLOC_FAILED")


@contextmanager
def placed(backbone: Backbone, device: torch.device) -> Iterator[None]:
    """Hold the network on `device`, channels last; afterwards it is where it was."""
    home = next((parameter.device for parameter in backbone.network.parameters()), device)
    backbone.network.to(device).to(memory_format=torch.channels_last)
    try:
        yield
    finally:
        backbone.network.to(home)


class Forward:
    """Runs a backbone on batches of any size, in chunks that fit into memory.

    Args:
        backbone: Its network must be on the device.
        device: Where it runs.
        precision: `fp32`, `bf16` or `fp16`.
        batch_size: Images at once, to begin with; halved whenever memory runs out.

    Attributes:
        seconds: Time spent in the network so far.
    """

    def __init__(
        self, backbone: Backbone, *, device: torch.device, precision: str, batch_size: int
    ) -> None:
        self.batch_size = batch_size
        self.seconds = 0.0
        self._backbone = backbone
        self._device = device
        self._precision = precision

    def peak_memory(self) -> int:
        """Return the most memory used so far, in bytes (see `hardware.devices`)."""
        return peak_memory(self._device)

    def worked(self) -> float:
        """Return a clock of what the device and the threads that feed it work, in seconds."""
        return worked_seconds(self._device)

    def buffer(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return an empty array for pixels from which copies to the device are fast."""
        pinned = self._device.type == "cuda"
        array: NDArray[np.uint8] = torch.empty(shape, dtype=torch.uint8, pin_memory=pinned).numpy()
        return array

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the features (B, D) of pixels (B, H, W, 3).

        Raises:
            BackboneError: Not even one image fits into memory.
        """
        start = time.perf_counter()
        found: list[NDArray[np.float32]] = []
        row = 0
        while row < len(pixels):
            chunk = self._chunk(pixels[row : row + self.batch_size])
            if chunk is None:
                self._back_off()
                continue
            found.append(chunk)
            row += len(chunk)
        self.seconds += time.perf_counter() - start
        return np.concatenate(found)

    def _chunk(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Return the features of a chunk, or None where memory does not suffice."""
        try:
            with ExitStack() as modes:
                modes.enter_context(torch.inference_mode())
                if self._device.type == "cuda":
                    # fp32 means fp32, and the same batch gives the same bits after a resumption.
                    modes.enter_context(repeatable())
                if self._precision != "fp32":
                    dtype = DTYPES[self._precision]
                    modes.enter_context(torch.autocast(self._device.type, dtype=dtype))
                # The view (B, 3, H, W) of (B, H, W, 3) is channels-last as it stands.
                batch = torch.from_numpy(pixels).permute(0, 3, 1, 2)
                moved = batch.to(self._device, non_blocking=True)
                features: NDArray[np.float32] = self._backbone.features(moved).float().cpu().numpy()
                return features
        except RuntimeError as error:
            memory = isinstance(error, torch.OutOfMemoryError)
            if not memory and not any(words in str(error) for words in _OUT_OF_MEMORY):
                raise
        return None

    def _back_off(self) -> None:
        if self.batch_size == 1:
            raise BackboneError(
                f"{self._backbone.spec} does not fit into the memory of {self._device}",
                cause="memory ran out on a single image",
                remedy="Choose a smaller backbone or --image-size, or another --device",
            )
        self.batch_size = max(1, self.batch_size // 2)
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
