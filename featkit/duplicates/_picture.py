"""What the geometry looks at: an image's lightness at a common size, and which pixels count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from featkit.duplicates._opencv import cv2

__all__ = ["SIDE", "Picture", "picture_of"]

SIDE = 400
"""Length of the longer side in pixels; smaller images are enlarged, since keypoints need room."""

_DARK = 40
"""Lightness (0 to 255) below which pixels at the margin are a dermatoscope's border."""

_RIM = 17
"""Width in pixels of the neighbourhood of the dark border that does not count either."""


@dataclass(frozen=True, eq=False)
class Picture:
    """An image prepared for comparison.

    Attributes:
        lightness: CIE L*, 0 to 255, uint8, shape (H, W).
        valid: False on dark corners and borders, which many photographs share, shape (H, W).
    """

    lightness: NDArray[np.uint8]
    valid: NDArray[np.bool_]

    @property
    def mirrored(self) -> Picture:
        """The picture with left and right exchanged."""
        return Picture(
            np.ascontiguousarray(self.lightness[:, ::-1]), np.ascontiguousarray(self.valid[:, ::-1])
        )


def picture_of(image: Image.Image) -> Picture:
    """Return the picture of an RGB image of any size."""
    factor = SIDE / max(image.size)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    filtering = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    resized = cv2.resize(np.asarray(image), size, interpolation=filtering)
    lab = cv2.cvtColor(resized, cv2.COLOR_RGB2LAB)
    lightness = np.ascontiguousarray(lab[..., 0], dtype=np.uint8)
    return Picture(lightness, ~_border(lightness))


def _border(lightness: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where dark regions lie that touch the margin, widened, shape (H, W)."""
    _, region = cv2.connectedComponents((lightness < _DARK).astype(np.uint8))
    margin = np.concatenate([region[0], region[-1], region[:, 0], region[:, -1]])
    border = np.isin(region, margin[margin > 0]).astype(np.uint8)
    widened: NDArray[np.bool_] = cv2.dilate(border, np.ones((_RIM, _RIM), np.uint8)) > 0
    return widened
