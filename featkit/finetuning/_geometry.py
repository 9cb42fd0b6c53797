"""Geometry: crop, flips, turns and rotation as one affine map from a view back to its image."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["sources"]

_DEGREES = 20.0
"""Free rotation beside the quarter turns: small, so that few invented corners come in."""

_AREA = (0.5, 1.0)
"""Share of the image's area that a random crop keeps."""

_RATIO = (0.85, 1.18)
"""Aspect ratios of a random crop: near one, since a lesion's shape means something."""

Maps = NDArray[np.float64]
"""Affine maps of points (x, y, 1) in pixels, the first pixel's centre at 0; shape (B, 3, 3)."""


def sources(
    steps: Collection[str],
    chance: Mapping[str, NDArray[np.float64]],
    shapes: NDArray[np.int64],
    crop: tuple[int, int],
) -> Maps:
    """Return where in its image each pixel of a view lies, shape (B, 3, 3).

    Flips and quarter turns map pixels onto pixels, exactly.

    Args:
        steps: Which of the geometric steps are taken.
        chance: Numbers in [0, 1) by name, each of shape (B,).
        shapes: Heights and widths of the images, shape (B, 2).
        crop: (height, width) of the views.
    """
    height, width = shapes.astype(np.float64).T
    maps = np.broadcast_to(np.eye(3), (len(shapes), 3, 3))
    if "crop" in steps:
        maps = maps @ _crop(chance, height, width, crop)
        height, width = (np.full(len(shapes), float(length)) for length in crop)
    if "hflip" in steps:
        maps = maps @ _flip(chance["hflip"], width, axis=0)
    if "vflip" in steps:
        maps = maps @ _flip(chance["vflip"], height, axis=1)
    if "quarter-turns" in steps:
        quarters = _quarters(chance["turn"], square=crop[0] == crop[1])
        maps = maps @ _turn(quarters, height, width)
        odd = quarters % 2 == 1
        height, width = np.where(odd, width, height), np.where(odd, height, width)
    if "rotation" in steps:
        maps = maps @ _rotation(
            np.deg2rad(_between(chance["angle"], -_DEGREES, _DEGREES)), height, width
        )
    return maps @ _shift(_margin(width, crop[1]), _margin(height, crop[0]))


def _between(
    chance: NDArray[np.float64],
    low: float | NDArray[np.float64],
    high: float | NDArray[np.float64],
) -> NDArray[np.float64]:
    return np.asarray(low + chance * (high - low))


def _maps(rows: list[list[float | NDArray[np.float64]]], number: int) -> Maps:
    """Return the maps of two rows of numbers or arrays (B,)."""
    maps = np.zeros((number, 3, 3))
    maps[:, 2, 2] = 1
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            maps[:, i, j] = value
    return maps


def _shift(x: NDArray[np.float64], y: NDArray[np.float64]) -> Maps:
    return _maps([[1, 0, x], [0, 1, y]], len(x))


def _margin(length: NDArray[np.float64], crop: int) -> NDArray[np.float64]:
    """Return where the centre crop begins, as `Preprocessing.cropped` rounds it."""
    spare = length - crop
    return np.where(spare >= 0, np.rint(spare / 2), -np.floor(-spare / 2))


def _crop(
    chance: Mapping[str, NDArray[np.float64]],
    height: NDArray[np.float64],
    width: NDArray[np.float64],
    crop: tuple[int, int],
) -> Maps:
    """Return the maps of random crops, resized to the view (Szegedy et al. 2015, inception crop).

    Areas are drawn among those that fit into the image at the drawn ratio.
    """
    ratio = np.exp(_between(chance["ratio"], *np.log(_RATIO)))
    largest = np.minimum(width**2 / ratio, height**2 * ratio)
    low, high = (np.minimum(share * height * width, largest) for share in _AREA)
    area = _between(chance["area"], low, high)
    tall, wide = np.sqrt(area / ratio), np.sqrt(area * ratio)
    left, top = chance["left"] * (width - wide), chance["top"] * (height - tall)
    down, across = tall / crop[0], wide / crop[1]
    return _maps(
        [[across, 0, left + across / 2 - 0.5], [0, down, top + down / 2 - 0.5]], len(ratio)
    )


def _flip(chance: NDArray[np.float64], length: NDArray[np.float64], *, axis: int) -> Maps:
    flipped = chance < 0.5
    sign, shift = np.where(flipped, -1.0, 1.0), np.where(flipped, length - 1, 0.0)
    if axis:
        return _maps([[1, 0, 0], [0, sign, shift]], len(chance))
    return _maps([[sign, 0, shift], [0, 1, 0]], len(chance))


def _quarters(chance: NDArray[np.float64], *, square: bool) -> NDArray[np.int64]:
    """Return how many quarter turns are made: of oblong views only two or none."""
    return (chance * 4).astype(np.int64) if square else 2 * (chance * 2).astype(np.int64)


_COS, _SIN = np.array([1.0, 0.0, -1.0, 0.0]), np.array([0.0, 1.0, 0.0, -1.0])


def _turn(
    quarters: NDArray[np.int64], height: NDArray[np.float64], width: NDArray[np.float64]
) -> Maps:
    cos, sin = _COS[quarters], _SIN[quarters]
    right = np.choose(quarters, [0 * width, 0 * width, width - 1, width - 1])
    bottom = np.choose(quarters, [0 * height, height - 1, height - 1, 0 * height])
    return _maps([[cos, sin, right], [-sin, cos, bottom]], len(quarters))


def _rotation(
    angle: NDArray[np.float64], height: NDArray[np.float64], width: NDArray[np.float64]
) -> Maps:
    """Return the maps of rotations about the middle."""
    cos, sin, x, y = np.cos(angle), np.sin(angle), (width - 1) / 2, (height - 1) / 2
    return _maps(
        [[cos, -sin, x - cos * x + sin * y], [sin, cos, y - sin * x - cos * y]], len(angle)
    )
