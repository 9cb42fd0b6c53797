"""Choosing: the fastest way to compute features that leaves them as they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from featkit.backbones.backbone import Backbone
from featkit.features._forward import Forward
from featkit.features._networks import Way
from featkit.features._openvino import has_openvino

__all__ = [
    "Faithfulness",
    "Trial",
    "agreement",
    "as_stored",
    "choose_way",
    "storage_dtype",
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


@dataclass(frozen=True, eq=False)
class Trial:
    """Images of a data set on which ways are tried.

    Attributes:
        pixels: As extraction makes them, (n, H, W, 3).
        reference: As Pillow makes them, (n, H, W, 3).
        work: Images, views included, that there are to compute in all.
    """

    pixels: NDArray[np.uint8]
    reference: NDArray[np.uint8]
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


def storage_dtype(precision: str) -> np.dtype[np.floating]:
    """Return how features of a precision are stored."""
    return np.dtype(np.float32 if precision == "fp32" else np.float16)


def choose_way(
    requested: str, backbone: Backbone, device: torch.device, trial: Trial
) -> tuple[Way, Faithfulness | None]:
    """Return how to compute the features, and what that was measured to do to them.

    Args:
        requested: `auto`, `fp32`, `bf16` or `fp16`. Of `auto`, and of `fp32` where something else
            than PyTorch runs it, only a way that leaves the features as they are is taken.
        backbone: Its network must be on the device.
        device: Where it runs.
        trial: Real images; with none, plain PyTorch computes, for `auto` in fp32.
    """
    plain = Way("fp32" if requested == "auto" else requested)
    if not len(trial.pixels):
        return plain, None
    reference = _Reference.of(backbone, device, trial)
    best = reference.itself if plain == _REFERENCE else reference.tried(plain)
    if reference.seconds / len(trial.pixels) * trial.work < _WORK_S.get(device.type, np.inf):
        return plain, best
    for way in _quicker(requested, device):
        check = reference.tried(way)
        asked_for = requested == way.precision != "fp32"
        if (check.is_given or asked_for) and check.speedup >= _SPEEDUP * best.speedup:
            return way, check
    return plain, best


@dataclass(frozen=True, eq=False)
class _Reference:
    """The features of a trial's images as they should be, and what they took.

    Attributes:
        trial: The images.
        features: Of their reference pixels, (n, D).
        near: Of their pixels as extraction makes them, by the same network, (n, D).
        seconds: What the network took for one of the two.
    """

    backbone: Backbone
    device: torch.device
    trial: Trial
    features: NDArray[np.float32]
    near: NDArray[np.float32]
    seconds: float

    @classmethod
    def of(cls, backbone: Backbone, device: torch.device, trial: Trial) -> _Reference:
        """Compute it."""
        forward = Forward(backbone, device=device, way=_REFERENCE, batch_size=len(trial.reference))
        near = forward(trial.pixels)
        features, seconds = _timed(forward, trial.reference)
        return cls(backbone, device, trial, features, near, seconds)

    @property
    def itself(self) -> Faithfulness:
        """What resizing alone does."""
        return self._check(_REFERENCE, self.near, speedup=1.0)

    def tried(self, way: Way) -> Faithfulness:
        """Return what a way does, and how fast it is."""
        pixels = self.trial.pixels
        forward = Forward(self.backbone, device=self.device, way=way, batch_size=len(pixels))
        forward(pixels)
        features, seconds = _timed(forward, pixels)
        return self._check(way, features, speedup=self.seconds / seconds)

    def _check(self, way: Way, features: NDArray[np.float32], speedup: float) -> Faithfulness:
        stored = as_stored(features, way.precision)
        cosine, error = agreement(self.features, stored)
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


def _timed(forward: Forward, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Return the features, and what the better of two passes took."""
    seconds = []
    for _ in range(2):
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
