"""Filters: blur and sharpening as one small kernel for an image."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.signal import convolve

__all__ = ["WIDTH", "kernels"]

WIDTH = 7
"""Of a kernel in pixels: a blur of five, sharpened by three."""

_SHARE = 0.3
"""Share of the images that are blurred, and of those that are sharpened."""

_SIGMA = (0.1, 1.5)
"""Standard deviation of the blur in pixels."""

_BESIDE = np.arange(-2, 3)

_SHARPENED = 2 * np.pad([[1.0]], 1) - np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
"""Twice the image less its smooth version, as Pillow's `ImageEnhance.Sharpness(2)`."""


def kernels(
    steps: Collection[str], chance: Mapping[str, NDArray[np.float64]]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return which images are filtered, shape (n,), and their kernels (n, WIDTH, WIDTH).

    Args:
        steps: Which of `blur` and `sharpen` are taken.
        chance: Numbers in [0, 1) by name, each of shape (B,).
    """
    blurred, sharpened = ((chance[step] < _SHARE) & (step in steps) for step in ("blur", "sharpen"))
    chosen = np.flatnonzero(blurred | sharpened)
    made = np.zeros((len(chosen), WIDTH, WIDTH))
    for place, row in enumerate(chosen):
        blur = _gaussian(chance["sigma"][row]) if blurred[row] else np.pad([[1.0]], 2)
        sharpen = _SHARPENED if sharpened[row] else np.pad([[1.0]], 1)
        made[place] = convolve(blur, sharpen, method="direct")
    return chosen, made


def _gaussian(chance: float) -> NDArray[np.float64]:
    sigma = _SIGMA[0] + chance * (_SIGMA[1] - _SIGMA[0])
    line = np.exp(-0.5 * (_BESIDE / sigma) ** 2)
    return np.asarray(np.outer(line, line) / line.sum() ** 2)
