"""OpenVINO: a backbone compiled for the CPU, in about a second."""

from __future__ import annotations

import sys
import warnings
from functools import partial
from importlib.util import find_spec
from threading import Event, Lock
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from featkit.backbones.backbone import Backbone
from featkit.errors import StoreError
from featkit.features._networks import Features, Started
from featkit.hardware.devices import available_cores

__all__ = ["Graph", "OpenVino", "has_openvino"]

_AT_ONCE = 4
"""Images that a core computes together."""

_HINTS = {"fp32": "f32", "bf16": "bf16"}

_IMPATIENT_S = 5.0


def has_openvino() -> bool:
    """Tell whether OpenVINO is installed (the extra `openvino`)."""
    return find_spec("openvino") is not None


class Graph:
    """A backbone as a graph of OpenVINO, from which networks of any precision are compiled.

    Args:
        backbone: Its network must be on the CPU.

    Raises:
        StoreError: OpenVINO is not installed.
    """

    def __init__(self, backbone: Backbone) -> None:
        openvino = _imported()
        pixels = torch.zeros(_AT_ONCE, *backbone.preprocessing.crop, 3, dtype=torch.uint8)
        with warnings.catch_warnings(), torch.no_grad():
            # The tracer is deprecated, and warns of constants that are constants here.
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(_Pixels(backbone).eval(), pixels, check_trace=False)
            self._model = openvino.convert_model(traced, example_input=pixels)
        self._model.reshape(list(pixels.shape))
        self._dimension = backbone.dimension

    def ready(self, precision: str) -> OpenVino:
        """Compile it for a precision that the CPU has.

        Raises:
            StoreError: It lacks this one; OpenVINO itself would take another, and say nothing.
        """
        streams = available_cores()
        openvino, hint = _imported(), _HINTS[precision]
        options = {
            "INFERENCE_PRECISION_HINT": hint,
            "INFERENCE_NUM_THREADS": streams,
            "NUM_STREAMS": streams,
        }
        compiled = openvino.Core().compile_model(self._model, "CPU", options)
        if compiled.get_property("INFERENCE_PRECISION_HINT") != getattr(openvino.Type, hint):
            raise StoreError(
                f"this computer's CPU does not compute in {precision}",
                cause="the features were begun on another kind of CPU",
                remedy="Continue there, or begin anew with --fresh",
            )
        return OpenVino(openvino.AsyncInferQueue(compiled, streams), streams, self._dimension)


class OpenVino:
    """A compiled graph, each core on a few images of its own.

    Few at a time stay in a core's cache, and no core waits for another at the end of a layer.

    Args:
        queue: Takes as many requests at a time as there are streams.
        streams: How many cores work, each on its own images.
        dimension: Of the features.
    """

    def __init__(self, queue: Any, streams: int, dimension: int) -> None:
        queue.set_callback(lambda request, take: take(request))
        self._queue, self._streams, self._dimension = queue, streams, dimension

    def __call__(self, pixels: Tensor) -> Started:
        """Begin with pixels (B, H, W, 3), uint8, on the host."""
        batch, array = _Batch(len(pixels), self._dimension), pixels.numpy()
        for row in range(0, len(array), _AT_ONCE):
            images = array[row : row + _AT_ONCE]
            if len(images) < _AT_ONCE:
                images = np.resize(images, (_AT_ONCE, *images.shape[1:]))
            self._queue.start_async([images], partial(batch.take, row, images), share_inputs=True)

        def wait() -> tuple[Features, float]:
            while not batch.done.wait(_IMPATIENT_S):
                self._queue.wait_all()  # raises what went wrong, of which a batch hears nothing
            return batch.features, batch.seconds / self._streams

        return wait


class _Batch:
    """Features that come in a few images at a time, from several threads."""

    def __init__(self, count: int, dimension: int) -> None:
        self.features = np.empty((count, dimension), np.float32)
        self.seconds = 0.0
        self.done = Event()
        self._missing = count
        self._lock = Lock()

    def take(self, row: int, _images: NDArray[np.uint8], request: Any) -> None:
        """Keep what a request found from a row on; the images were to be kept until here."""
        space = self.features[row : row + _AT_ONCE]
        space[:] = request.get_output_tensor(0).data[: len(space)]
        with self._lock:
            self.seconds += request.latency / 1000
            self._missing -= len(space)
            if not self._missing:
                self.done.set()


class _Pixels(nn.Module):
    """A backbone that takes pixels as they lie in memory, (B, H, W, 3)."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.network = backbone.network
        self._backbone = backbone

    def forward(self, pixels: Tensor) -> Tensor:
        return self._backbone.features(pixels.permute(0, 3, 1, 2))


def _imported() -> ModuleType:
    # Its tools report their use to a server as soon as they are imported. Nothing that runs on
    # patients' images may do that, and without this package they do not.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError:
        raise StoreError(
            "these features were begun with OpenVINO",
            cause="it is not installed here",
            remedy="Install featkit[openvino] to continue, or begin anew with --fresh",
        ) from None
    module: ModuleType = openvino
    return module
