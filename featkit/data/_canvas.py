"""The plane on which a lesion lies, seen through one photograph's position, turn and zoom."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Canvas", "Field", "ramp"]

Field = NDArray[np.floating[Any]]
"""One value a pixel, shape (size, size), in practice float32."""

_REACH = 2.2
"""Half the side of the square that noise covers, in units of half an unzoomed image."""

_SAMPLES = 3.5
"""Samples taken for each independent value: enough for smooth noise, whatever the image's size."""


class Canvas:
    """Pixel positions on the skin. The lesion's centre is (0, 0); half an image's side is 1.

    Args:
        size: The photograph's side in pixels.
        zoom: Magnification.
        turn: Angle by which the camera is turned, in radians.
        shift: Position of the image's centre on the skin.
        rng: Where the skin's noise comes from; the same for all photographs of a lesion.
    """

    def __init__(
        self,
        size: int,
        *,
        zoom: float,
        turn: float,
        shift: tuple[float, float],
        rng: np.random.Generator,
    ) -> None:
        self.size = size
        self.zoom = zoom
        self.rng = rng
        step = 2 / (size * zoom)
        cos, sin = step * np.cos(turn), step * np.sin(turn)
        matrix = np.array([[cos, -sin], [sin, cos]])
        offset = np.array(shift) - matrix @ np.full(2, size / 2)
        self._matrix, self._offset = matrix, offset

    @cached_property
    def xy(self) -> tuple[Field, Field]:
        """Every pixel's position on the skin."""
        at = np.arange(self.size) + 0.5
        (a, b), (d, e) = self._matrix
        x = (a * at)[None, :] + (b * at)[:, None] + self._offset[0]
        y = (d * at)[None, :] + (e * at)[:, None] + self._offset[1]
        return x.astype(np.float32), y.astype(np.float32)

    def pixels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where points on the skin (..., 2) fall in the image, in pixels."""
        moved: NDArray[np.float64] = (points - self._offset) @ np.linalg.inv(self._matrix).T
        return moved

    def noise(self, grain: float) -> Field:
        """Return smooth noise of mean 0 and variance of about 0.5, fixed to the skin.

        Args:
            grain: Distance between independent values, in half images.
        """
        cells = round(2 * _REACH / grain)
        grid = Image.fromarray(self.rng.standard_normal((cells, cells), dtype=np.float32))
        side = min(self.size, round(2 * _SAMPLES / grain))
        scale = cells / (2 * _REACH)
        (a, b), (d, e) = (self._matrix * (scale * self.size / side)).tolist()
        c, f = ((self._offset + _REACH) * scale).tolist()
        view = grid.transform(
            (side, side), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BICUBIC
        )
        return np.asarray(view.resize((self.size, self.size), Image.Resampling.BICUBIC))


def ramp(field: Field, low: float, high: float) -> Field:
    """Return 0 below `low`, 1 above `high`, and a smooth step between them."""
    t = np.clip((field - low) / (high - low), 0, 1)
    smooth: Field = t * t * (3 - 2 * t)
    return smooth
