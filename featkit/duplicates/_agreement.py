"""Agreement: do two aligned pictures look alike, wherever both show skin?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.duplicates._opencv import cv2
from featkit.duplicates._picture import Picture

__all__ = ["Agreement", "agreement"]

Image = NDArray[np.integer | np.floating]

_FINE, _COARSE = 2.0, 20.0
"""Structures between these sizes are compared (deviations of Gaussians, in pixels).

Below is noise and compression; above are light, vignette and "a dark spot in the middle", which
photographs of different lesions share.
"""

_LEAST_PIXELS = 500
"""Overlap below which a correlation says nothing."""


@dataclass(frozen=True)
class Agreement:
    """How alike two aligned pictures are.

    Attributes:
        correlation: Normalised cross-correlation of lightness structures over the overlap, -1 to 1.
        overlap: Share of the smaller picture (after zooming) that the other shows as well, 0 to 1.
    """

    correlation: float
    overlap: float


def agreement(first: Picture, second: Picture, matrix: NDArray[np.float64]) -> Agreement:
    """Carry the second picture onto the first and compare them.

    Args:
        first: The picture that stands still.
        second: The picture that is moved.
        matrix: From the second to the first, shape (2, 3).
    """
    height, width = first.lightness.shape
    moved = cv2.warpAffine(second.lightness, matrix, (width, height), flags=cv2.INTER_LINEAR)
    shown = cv2.warpAffine(
        second.valid.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST
    )
    both = first.valid & (shown > 0)
    magnified = second.lightness.size * abs(np.linalg.det(matrix[:, :2]))
    overlap = float(both.sum() / max(1.0, min(first.lightness.size, magnified)))
    # Next to the overlap's edge, structures are cut.
    inside = cv2.erode(both.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    if inside.sum() < _LEAST_PIXELS:
        return Agreement(0.0, overlap)
    mine, theirs = (_structures(image, both)[inside] for image in (first.lightness, moved))
    return Agreement(_correlation(mine, theirs), overlap)


def _structures(lightness: Image, seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return what is left between the fine and the coarse blur, unseen pixels left out."""
    weight = seen.astype(np.float32)

    def blurred(deviation: float) -> NDArray[np.float32]:
        total = cv2.GaussianBlur(lightness * weight, (0, 0), deviation)
        return np.asarray(total / (cv2.GaussianBlur(weight, (0, 0), deviation) + 1e-6))

    return blurred(_FINE) - blurred(_COARSE)


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    a, b = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 1e-6 else 0.0
