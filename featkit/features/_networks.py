"""Networks ready to run: uint8 pixels in, float32 features on the host out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from featkit.backbones.backbone import Backbone
from featkit.hardware.devices import repeatable

if TYPE_CHECKING:
    from featkit.features._openvino import Graph

__all__ = ["RUNTIMES", "Eager", "Features", "Network", "Networks", "Started", "Way"]

Features = NDArray[np.float32]

_DTYPES = MappingProxyType({"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16})


@dataclass(frozen=True)
class Way:
    """How features are computed.

    Attributes:
        precision: `fp32`, `bf16` or `fp16`.
        runtime: What runs the network: a name in `RUNTIMES`.
    """

    precision: str
    runtime: str = "torch"


class Started(Protocol):
    """A batch that is under way."""

    def __call__(self) -> tuple[Features, float]:
        """Wait for its features (B, D), and return them with the device's seconds."""


class Network(Protocol):
    """A backbone made ready for a device, a precision and batches of some size."""

    def __call__(self, pixels: Tensor) -> Started:
        """Begin with pixels (B, H, W, 3), uint8, which may not change until they are done."""


class Eager:
    """PyTorch, one operation after the other.

    Args:
        backbone: Its network must be on the device.
        device: Where it runs.
        precision: `fp32`, `bf16` or `fp16`.
        features: What makes features of uint8 pixels (B, 3, H, W) on the device; the backbone's
            own way by default.
    """

    def __init__(
        self,
        backbone: Backbone,
        device: torch.device,
        precision: str,
        features: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self._features = features or backbone.features
        self._device = device
        self._precision = precision
        self._copies = torch.cuda.Stream(device) if device.type == "cuda" else None

    def __call__(self, pixels: Tensor) -> Started:
        """Begin with pixels (B, H, W, 3), uint8, on the host or on the device."""
        with ExitStack() as modes:
            modes.enter_context(torch.inference_mode())
            if self._precision != "fp32":
                dtype = _DTYPES[self._precision]
                modes.enter_context(torch.autocast(self._device.type, dtype=dtype))
            # The view (B, 3, H, W) of (B, H, W, 3) is channels-last as it stands.
            batch = pixels.permute(0, 3, 1, 2)
            if self._copies is None:
                return self._waited(batch)
            # fp32 means fp32, and the same batch gives the same bits after a resumption.
            modes.enter_context(repeatable())
            return self._queued(batch, self._copies)

    def _waited(self, batch: Tensor) -> Started:
        start = time.perf_counter()
        found: Features = self._features(batch.to(self._device)).float().cpu().numpy()
        seconds = time.perf_counter() - start
        return lambda: (found, seconds)

    def _queued(self, batch: Tensor, copies: torch.cuda.Stream) -> Started:
        """Queue the batch on a GPU: its copy runs beside the arithmetic of the one before."""
        arithmetic = torch.cuda.current_stream(self._device)
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        with torch.cuda.stream(copies):
            moved = batch.to(self._device, non_blocking=True)
        arithmetic.wait_stream(copies)
        moved.record_stream(arithmetic)
        begin.record(arithmetic)
        features = self._features(moved).float()
        found = torch.empty(features.shape, dtype=torch.float32, pin_memory=True)
        found.copy_(features, non_blocking=True)
        end.record(arithmetic)

        def wait() -> tuple[Features, float]:
            end.synchronize()
            # Named here to be kept until the copy from it is done.
            _ = batch
            array: Features = found.numpy()
            return array, begin.elapsed_time(end) / 1000

        return wait


class _Whole:
    """Fills short batches up, for networks that are made for one size."""

    def __init__(self, network: Network, size: int) -> None:
        self._network, self._size = network, size

    def __call__(self, pixels: Tensor) -> Started:
        count = len(pixels)
        if count == self._size:
            return self._network(pixels)
        whole = pixels.new_zeros((self._size, *pixels.shape[1:]))
        whole[:count] = pixels
        started = self._network(whole)

        def wait() -> tuple[Features, float]:
            features, seconds = started()
            return features[:count], seconds

        return wait


class Networks:
    """Makes a backbone ready in one way after another; what several ways need is made once.

    Args:
        backbone: Its network must be on the device.
        device: Where it runs.
    """

    def __init__(self, backbone: Backbone, device: torch.device) -> None:
        self.backbone = backbone
        self.device = device

    def ready(self, way: Way, batch_size: int) -> Network:
        """Return a network for batches of up to `batch_size` images.

        Raises:
            StoreError: The way needs OpenVINO, which is not installed.
        """
        return _MAKERS[way.runtime](self, way.precision, batch_size)

    @cached_property
    def graph(self) -> Graph:
        """The backbone as OpenVINO reads it."""
        from featkit.features._openvino import Graph

        return Graph(self.backbone)


def _eager(networks: Networks, precision: str, batch: int) -> Network:
    return Eager(networks.backbone, networks.device, precision)


def _compiled(networks: Networks, precision: str, batch: int) -> Network:
    """PyTorch's compiler, on a GPU with its kernels recorded as one graph."""
    mode = "reduce-overhead" if networks.device.type == "cuda" else "default"
    features = torch.compile(networks.backbone.features, dynamic=False, mode=mode)
    return _Whole(Eager(networks.backbone, networks.device, precision, features), batch)


def _openvino(networks: Networks, precision: str, batch: int) -> Network:
    return networks.graph.ready(precision)


_MAKERS: Mapping[str, Callable[[Networks, str, int], Network]] = MappingProxyType(
    {"torch": _eager, "compiled": _compiled, "openvino": _openvino}
)

RUNTIMES = tuple(_MAKERS)
"""What can run a network: PyTorch, PyTorch's compiler, or OpenVINO on a CPU."""
