"""Keypoints: places that are found again when a picture is turned, zoomed or lit otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.duplicates._opencv import cv2
from featkit.duplicates._picture import Picture

__all__ = ["Keypoints", "find_keypoints", "match"]

_MOST = 800
"""Keypoints of a picture, the strongest; skin shows few strong ones."""

_CONTRAST = 0.01
"""SIFT's threshold, a quarter of the usual: pigment network and skin lines are faint."""

_EDGE = 20
"""SIFT's limit of elongation, twice the usual: much of what skin shows is drawn out."""

_CLIP, _TILES = 3.0, (8, 8)
"""Adaptive histogram equalisation (CLAHE): limit of contrast, tiles."""

_RATIO = 0.9
"""A match is kept if the second best is farther by this factor; RANSAC sorts out the rest."""


@dataclass(frozen=True, eq=False)
class Keypoints:
    """A picture's keypoints with SIFT descriptors (Lowe 2004), a tenth of a megabyte.

    Attributes:
        points: x and y in pixels, float32, shape (K, 2).
        descriptors: 4 × 4 cells of 8 directions, uint8, shape (K, 128).
        width: The picture's, in pixels.
    """

    points: NDArray[np.float32]
    descriptors: NDArray[np.uint8]
    width: int

    @property
    def mirrored(self) -> Keypoints:
        """What the picture would have with left and right exchanged.

        Mirroring turns a descriptor's cells upside down and reverses their directions; nothing
        has to be detected again.
        """
        points = self.points.copy()
        points[:, 0] = self.width - 1 - points[:, 0]
        cells = self.descriptors.reshape(-1, 4, 4, 8)[:, ::-1][..., -np.arange(8) % 8]
        return Keypoints(points, cells.reshape(-1, 128), self.width)


def find_keypoints(picture: Picture) -> Keypoints:
    """Return a picture's keypoints; none where nothing stands out."""
    even = cv2.createCLAHE(_CLIP, _TILES).apply(picture.lightness)
    sift = cv2.SIFT.create(nfeatures=_MOST, contrastThreshold=_CONTRAST, edgeThreshold=_EDGE)
    found, raw = sift.detectAndCompute(even, picture.valid.astype(np.uint8))
    width = picture.lightness.shape[1]
    if raw is None:
        return Keypoints(np.empty((0, 2), np.float32), np.empty((0, 128), np.uint8), width)
    points = np.array([keypoint.pt for keypoint in found], dtype=np.float32)
    return Keypoints(points, raw.astype(np.uint8), width)  # they are whole numbers up to 255


def match(first: Keypoints, second: Keypoints) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return indices of keypoints that are each other's nearest, and clearly so, each (M,)."""
    if len(first.points) < 2 or len(second.points) < 2:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    cosine = _rooted(first.descriptors) @ _rooted(second.descriptors).T
    rows = np.arange(len(cosine))
    best = cosine.argmax(axis=1)
    mutual = cosine.argmax(axis=0)[best] == rows
    highest = cosine[rows, best]
    cosine[rows, best] = -1
    # Unit vectors: squared distance = 2 - 2 cosine.
    clear = (1 - highest) < _RATIO**2 * (1 - cosine.max(axis=1))
    kept = mutual & clear
    return rows[kept], best[kept]


def _rooted(descriptors: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return unit vectors (RootSIFT: Arandjelović and Zisserman 2012, section 3)."""
    values = descriptors.astype(np.float32)
    rooted: NDArray[np.float32] = np.sqrt(values / values.sum(axis=1, keepdims=True).clip(1))
    return rooted
