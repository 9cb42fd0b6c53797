"""Colour: brightness, contrast, saturation and hue as one linear map of an image's colours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["GREY", "colours"]

GREY = np.array([0.299, 0.587, 0.114])
"""Shares of red, green and blue in an image's grey (ITU-R BT.601)."""

_STRENGTH = 0.2
"""Brightness, contrast and saturation are multiplied by 1 ± this."""

_HUE = 0.02
"""Hue is turned by ± this share of the circle."""

_ACROSS = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
"""The cross product with the direction of grey."""


def colours(
    chance: Mapping[str, NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return maps of colours (B, 3, 3), and the share of the image's mean grey to add, (B,).

    Args:
        chance: Numbers in [0, 1) by name, each of shape (B,).
    """
    brightness, contrast, saturation = (
        1 + _STRENGTH * (2 * chance[name] - 1) for name in ("brightness", "contrast", "saturation")
    )
    grey = np.tile(GREY, (3, 1))
    saturated = grey + saturation[:, None, None] * (np.eye(3) - grey)
    turned = _turned(2 * np.pi * _HUE * (2 * chance["hue"] - 1))
    maps = (brightness * contrast)[:, None, None] * turned @ saturated
    return maps, brightness * (1 - contrast)


def _turned(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rotations about grey (Rodrigues' formula), shape (B, 3, 3)."""
    sin, cos = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return np.asarray(cos * np.eye(3) + sin * _ACROSS + (1 - cos) / 3)
