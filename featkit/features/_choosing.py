"""Choosing: the fastest way to compute features that leaves them as they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from featkit.features._forward import Forward
from featkit.features._networks import Networks, Way
from featkit.features._openvino import has_openvino

__all__ = [
    "Faithfulness",
    "Trial",
    "Tried",
    "agreement",
    "as_stored",
    "choose_way",
    "storage_dtype",
    "try_ways",
]

_REFERENCE = Way("fp32")
"""PyTorch as it comes, in fp32."""

_SPEEDUP = 1.15
"""How much faster than plain PyTorch in fp32 another way must be to be taken."""

_COSINE = 0.999
"""The smallest cosine between an image's features and the reference."""

_ERROR = 0.02
"""The largest distance of an image's features from the reference, relative to its length."""

_WORK_S = {"cpu": 5.0, "cuda": 60.0}
"""Seconds of work from which a trial, and making a network ready, cost little beside it."""

_TIMED_S, _PASSES = 0.2, 3
"""So long is a way timed, or for so many passes."""


@dataclass(frozen=True, eq=False)
class Trial:
    """Images of a data set on which ways are tried.

    Attributes:
        pixels: As extraction makes them, (n, H, W, 3), uint8.
        reference: As Pillow makes them, (n, H, W, 3), uint8.
        work: Images, views included, that there are to compute in all.
    """

    pixels: Tensor
    reference: Tensor
    work: int


@dataclass(frozen=True)
class Faithfulness:
    """What a way did to real images, against Pillow and PyTorch in fp32 on the same device.

    Attributes:
        precision: The way's precision.
        runtime: What ran the network.
        images: How many images were tried.
        cosine_min: The smallest cosine between an image's features and the reference.
        error_max: The largest distance between them, relative to the reference's length.
        speedup: Time of the reference's network over that of the way.
    """

    precision: str
    runtime: str
    images: int
    cosine_min: float
    error_max: float
    speedup: float

    @property
    def is_given(self) -> bool:
        """Whether the features stayed as they are, within the bounds."""
        return self.cosine_min >= _COSINE and self.error_max <= _ERROR

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON-like values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Tried:
    """A way that was tried.

    Attributes:
        forward: Computes by it.
        check: What it did to the trial's images; None where there were none.
        better: Whether it may be taken in the plain one's place.
    """

    forward: Forward
    check: Faithfulness | None
    better: bool


def storage_dtype(precision: str) -> np.dtype[np.floating]:
    """Return how features of a precision are stored."""
    return np.dtype(np.float32 if precision == "fp32" else np.float16)


def choose_way(
    requested: str, networks: Networks, trial: Trial, *, batch_size: int
) -> tuple[Forward, Faithfulness | None]:
    """Return what computes the features, and what that was measured to do to them.

    Args:
        requested: `auto`, `fp32`, `bf16` or `fp16`. Of `auto`, and of `fp32` where something else
            than PyTorch runs it, only a way that leaves the features as they are is taken.
        networks: Make the backbone ready.
        trial: Real images; with none, plain PyTorch computes, for `auto` in fp32.
        batch_size: Images at once.
    """
    ways = try_ways(requested, networks, trial, batch_size=batch_size)
    plain = next(ways)
    chosen = next((way for way in ways if way.better), plain)
    return chosen.forward, chosen.check


def try_ways(
    requested: str, networks: Networks, trial: Trial, *, batch_size: int
) -> Iterator[Tried]:
    """Yield the plain way and, where the work is worth the search, quicker ones (`choose_way`)."""
    plain = Way("fp32" if requested == "auto" else requested)
    if not len(trial.pixels):
        yield Tried(Forward(networks, way=plain, batch_size=batch_size), None, better=False)
        return
    reference = _Reference(networks, trial, batch_size)
    forward, best = reference.itself if plain == _REFERENCE else reference.tried(plain)
    yield Tried(forward, best, better=False)
    device = networks.device
    if reference.seconds / len(trial.pixels) * trial.work < _WORK_S.get(device.type, np.inf):
        return
    for way in _quicker(requested, device):
        other, check = reference.tried(way)
        asked_for = requested == way.precision != "fp32"
        quick = check.speedup >= _SPEEDUP * best.speedup
        yield Tried(other, check, better=quick and (check.is_given or asked_for))


class _Reference:
    """The features of a trial's images as they should be, and what they took.

    Args:
        networks: Make the backbone ready.
        trial: The images.
        batch_size: Images at once.

    Attributes:
        seconds: What plain PyTorch took for the images in fp32.
    """

    def __init__(self, networks: Networks, trial: Trial, batch_size: int) -> None:
        self._networks, self._trial, self._batch_size = networks, trial, batch_size
        self._forward = Forward(networks, way=_REFERENCE, batch_size=batch_size)
        self._near, first = _timed(self._forward, trial.pixels)
        self._features, second = _timed(self._forward, trial.reference)
        self.seconds = min(first, second)

    @property
    def itself(self) -> tuple[Forward, Faithfulness]:
        """Plain PyTorch, and what resizing alone does."""
        return self._forward, self._check(_REFERENCE, self._near, speedup=1.0)

    def tried(self, way: Way) -> tuple[Forward, Faithfulness]:
        """Return another way, what it does, and how fast it is."""
        forward = Forward(self._networks, way=way, batch_size=self._batch_size)
        # Twice: the first passes make ready, and another program may have had the processor.
        _, first = _timed(forward, self._trial.pixels)
        features, second = _timed(forward, self._trial.pixels)
        speedup = self.seconds / min(first, second)
        return forward, self._check(way, features, speedup=speedup)

    def _check(self, way: Way, features: NDArray[np.float32], speedup: float) -> Faithfulness:
        stored = as_stored(features, way.precision)
        cosine, error = agreement(self._features, stored)
        return Faithfulness(
            precision=way.precision,
            runtime=way.runtime,
            images=len(features),
            cosine_min=float(cosine.min()),
            error_max=float(error.max()),
            speedup=speedup,
        )


def as_stored(features: NDArray[np.float32], precision: str) -> NDArray[np.floating]:
    """Return features as a feature file keeps them."""
    with np.errstate(over="ignore"):
        return features.astype(storage_dtype(precision))


def agreement(
    exact: NDArray[np.floating], found: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how features (n, D) agree with exact ones (n, D), image by image.

    Returns:
        The cosines (n,), and the distances relative to the exact ones' lengths (n,). What is not
        finite agrees in nothing: cosine 0, distance infinite.
    """
    reference, mine = exact.astype(np.float64), found.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        length = np.linalg.norm(reference, axis=1)
        cosine = (reference * mine).sum(axis=1) / (length * np.linalg.norm(mine, axis=1))
        error = np.linalg.norm(mine - reference, axis=1) / length
    return np.nan_to_num(cosine, nan=0.0), np.nan_to_num(error, nan=np.inf)


def _quicker(requested: str, device: torch.device) -> Iterator[Way]:
    """Yield the ways that may be faster than the plain one, the fastest first."""
    native = ["bf16", "fp32"] if _native_bf16(device) else ["fp32"]
    precisions = native if requested == "auto" else [requested]
    runtimes = ["torch"]
    # OpenVINO computes in another precision, and says nothing, where a CPU lacks the one asked for.
    if device.type == "cpu" and has_openvino() and set(precisions) <= set(native):
        runtimes = ["openvino"]
    elif device.type == "cuda":
        runtimes = ["compiled", "torch"]
    ways = (Way(precision, runtime) for precision in precisions for runtime in runtimes)
    return (way for way in ways if way != Way(requested) and way != _REFERENCE)


def _timed(forward: Forward, pixels: Tensor) -> tuple[NDArray[np.float32], float]:
    """Return the features, and what the best of some passes took: of one, where it is long."""
    seconds: list[float] = []
    while sum(seconds) < _TIMED_S and len(seconds) < _PASSES:
        start = time.perf_counter()
        features = forward(pixels)
        seconds.append(time.perf_counter() - start)
    return features, min(seconds)


def _native_bf16(device: torch.device) -> bool:
    """Tell whether the hardware computes in bf16 itself."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in probes)
