"""Alignment: one turn, zoom and shift that carries a picture's keypoints onto another's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.duplicates._keypoints import Keypoints, match
from featkit.duplicates._opencv import cv2

__all__ = ["Alignment", "align"]

_TOLERANCE = 5.0
"""Distance in pixels up to which a match agrees with a transform: skin gives way under glass."""

_TRIALS, _CERTAINTY = 2000, 0.999
"""RANSAC stops after so many trials, or when it is so certain."""

_LEAST = 4
"""Matches below which no transform is tried: any two agree on one."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """A similarity transform from the second picture to the first.

    Attributes:
        matrix: [x', y'] = matrix · [x, y, 1], shape (2, 3).
        inliers: Matches that agree with it.
        spread: Standard deviation, in pixels of the first picture, of the agreeing keypoints along
            the direction in which they spread least: near 0 where they lie on a line or a spot.
    """

    matrix: NDArray[np.float64]
    inliers: int
    spread: float

    @property
    def scale(self) -> float:
        """By how much the second picture is magnified."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    @property
    def rotation(self) -> float:
        """By how much the second picture is turned, counter-clockwise as seen, in degrees."""
        # The y axis of images points down, hence the sign.
        return float(-np.degrees(np.arctan2(self.matrix[1, 0], self.matrix[0, 0])))


def align(first: Keypoints, second: Keypoints) -> Alignment | None:
    """Return the transform that most matches agree with (RANSAC), or None where there is none."""
    mine, theirs = match(first, second)
    if len(mine) < _LEAST:
        return None
    source, target = second.points[theirs], first.points[mine]
    matrix, agreeing = cv2.estimateAffinePartial2D(
        source,
        target,
        method=cv2.RANSAC,
        ransacReprojThreshold=_TOLERANCE,
        maxIters=_TRIALS,
        confidence=_CERTAINTY,
    )
    if matrix is None or not np.isfinite(matrix).all():
        return None
    kept = target[agreeing.ravel() > 0]
    return Alignment(matrix.astype(np.float64), len(kept), _least_spread(kept))


def _least_spread(points: NDArray[np.float32]) -> float:
    if len(points) < 2:
        return 0.0
    variance = np.linalg.eigvalsh(np.cov(points.T, ddof=0))
    return float(np.sqrt(max(variance[0], 0.0)))
