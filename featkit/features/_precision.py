"""Precision: reduced only where the hardware has it, it pays, and the features stay the same."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from featkit.backbones.backbone import Backbone
from featkit.features._forward import Forward

__all__ = ["PrecisionCheck", "check_precision", "choose_precision", "storage_dtype"]

_SPEEDUP = 1.15
"""How much faster bf16 must be to be chosen."""

_COSINE = 0.999
"""The smallest cosine between an image's fp32 and bf16 features for bf16 to be chosen."""


@dataclass(frozen=True)
class PrecisionCheck:
    """What a reduced precision did to real images, against fp32 on the same device.

    Attributes:
        precision: The reduced precision.
        images: How many images were tried.
        cosine_min: The smallest cosine between an image's features in both precisions.
        speedup: fp32's time over the reduced precision's.
    """

    precision: str
    images: int
    cosine_min: float
    speedup: float

    @property
    def pays(self) -> bool:
        """Whether it is clearly faster and as good as fp32."""
        return self.speedup >= _SPEEDUP and self.cosine_min >= _COSINE

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON-like values."""
        return asdict(self)


def storage_dtype(precision: str) -> np.dtype[np.floating]:
    """Return how features of a precision are stored."""
    return np.dtype(np.float32 if precision == "fp32" else np.float16)


def choose_precision(
    requested: str, backbone: Backbone, device: torch.device, pixels: NDArray[np.uint8]
) -> tuple[str, PrecisionCheck | None]:
    """Return the precision to use and, where it is reduced, its measured effect.

    Args:
        requested: `auto`, `fp32`, `bf16` or `fp16`.
        backbone: Its network must be on the device.
        device: Where it runs.
        pixels: Real images to try it on, (B, H, W, 3); with none, `auto` means fp32.
    """
    automatic = requested == "auto"
    if requested == "fp32" or not len(pixels) or (automatic and not _native_bf16(device)):
        return ("fp32" if automatic else requested), None
    check = check_precision("bf16" if automatic else requested, backbone, device, pixels)
    if automatic and not check.pays:
        return "fp32", None
    return check.precision, check


def check_precision(
    precision: str, backbone: Backbone, device: torch.device, pixels: NDArray[np.uint8]
) -> PrecisionCheck:
    """Compare a reduced precision (as it would be stored) with fp32 on the same images."""
    exact, slow = _timed("fp32", backbone, device, pixels)
    reduced, fast = _timed(precision, backbone, device, pixels)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        stored = reduced.astype(storage_dtype(precision)).astype(np.float64)
        norms = np.linalg.norm(exact, axis=1) * np.linalg.norm(stored, axis=1)
        cosine = (exact * stored).sum(axis=1) / norms
    return PrecisionCheck(
        precision=precision,
        images=len(pixels),
        # NaN (an overflow) must not pass for agreement.
        cosine_min=float(np.nan_to_num(cosine, nan=0.0).min()),
        speedup=slow / fast,
    )


def _timed(
    precision: str, backbone: Backbone, device: torch.device, pixels: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], float]:
    """Return the features and the best time of two passes after one to warm up."""
    forward = Forward(backbone, device=device, precision=precision, batch_size=len(pixels))
    features = forward(pixels)
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        forward(pixels)
        seconds.append(time.perf_counter() - start)
    return features.astype(np.float64), min(seconds)


def _native_bf16(device: torch.device) -> bool:
    """Tell whether the hardware computes in bf16 itself."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in probes)
