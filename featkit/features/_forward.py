"""The forward pass: batches of any size, in chunks that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from featkit.backbones.backbone import Backbone
from featkit.errors import BackboneError
from featkit.features._networks import Features, Network, Networks, Started, Way
from featkit.hardware.devices import peak_memory, worked_seconds

__all__ = ["Forward", "placed"]

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
        networks: Make the backbone ready.
        way: Precision and runtime.
        batch_size: Images at once, to begin with; halved whenever memory runs out.

    Attributes:
        networks: As given.
        way: As given.
        batch_size: Images at once, now.
        seconds: Time that the network took so far.
    """

    def __init__(self, networks: Networks, *, way: Way, batch_size: int) -> None:
        self.way = way
        self.batch_size = batch_size
        self.seconds = 0.0
        self.networks = networks
        self._device = networks.device
        self._network: Network | None = None

    def peak_memory(self) -> int:
        """Return the most memory used so far, in bytes (see `hardware.devices`)."""
        return peak_memory(self._device)

    def worked(self) -> float:
        """Return a clock of what the device and the threads that feed it work, in seconds."""
        return worked_seconds(self._device)

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self._device

    def buffer(self, shape: tuple[int, ...]) -> Tensor:
        """Return an empty tensor for pixels from which copies to the device are fast."""
        return torch.empty(shape, dtype=torch.uint8, pin_memory=self._device.type == "cuda")

    def __call__(self, pixels: Tensor) -> Features:
        """Return the features (B, D) of pixels (B, H, W, 3), uint8.

        Raises:
            BackboneError: Not even one image fits into memory.
        """
        return self.start(pixels)()

    def start(self, pixels: Tensor) -> Callable[[], Features]:
        """Begin with pixels (B, H, W, 3), uint8; return what waits for their features (B, D).

        A GPU works on while the next batch is begun. The pixels may not change until then.

        Raises:
            BackboneError: Not even one image fits into memory.
        """
        chunks: list[Started] = []
        row = 0
        while row < len(pixels):
            chunk = pixels[row : row + self.batch_size]
            started = self._begin(chunk)
            if started is None:
                self._back_off()
                continue
            chunks.append(started)
            row += len(chunk)

        def wait() -> Features:
            found = [started() for started in chunks]
            self.seconds += sum(seconds for _, seconds in found)
            return np.concatenate([features for features, _ in found])

        return wait

    def _begin(self, chunk: Tensor) -> Started | None:
        """Begin with a chunk; None where memory does not suffice."""
        try:
            if self._network is None:
                self._network = self.networks.ready(self.way, self.batch_size)
            return self._network(chunk)
        except RuntimeError as error:
            memory = isinstance(error, torch.OutOfMemoryError)
            if not memory and not any(words in str(error) for words in _OUT_OF_MEMORY):
                raise
        return None

    def _back_off(self) -> None:
        if self.batch_size == 1:
            raise BackboneError(
                f"{self.networks.backbone.spec} does not fit into the memory of {self._device}",
                cause="memory ran out on a single image",
                remedy="Choose a smaller backbone or --image-size, or another --device",
            )
        self.batch_size = max(1, self.batch_size // 2)
        self._network = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
