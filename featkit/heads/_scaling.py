"""Standardised columns, and the row space in which few rows of many columns live."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

__all__ = ["Scaling", "row_space"]

_BLOCK_ROWS = 4096
"""Rows converted to float64 at a time: bounds the memory of exact sums."""


class Scaling(NamedTuple):
    """Location and spread of every column."""

    mean: NDArray[np.float32]
    """(D,)."""
    scale: NDArray[np.float32]
    """(D,) standard deviation; 1 for constant columns, which centring turns into zeros."""

    @classmethod
    def of(cls, features: NDArray[np.float32]) -> Scaling:
        """Measure the columns of features (n, D), summing in float64."""
        rows = len(features)
        blocks = [features[i : i + _BLOCK_ROWS] for i in range(0, rows, _BLOCK_ROWS)]
        mean = sum(block.sum(axis=0, dtype=np.float64) for block in blocks) / rows
        square = sum(((block - mean) ** 2).sum(axis=0) for block in blocks) / rows
        deviation = np.sqrt(square)
        # A constant column's deviation is rounding, and grows with the mean.
        limits = np.finfo(np.float32)
        constant = deviation <= np.maximum(10 * limits.eps * np.abs(mean), limits.tiny)
        return cls(mean.astype(np.float32), np.where(constant, 1.0, deviation).astype(np.float32))

    def apply(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a standardised copy of features (..., D)."""
        scaled = features - self.mean
        scaled /= self.scale
        return scaled


def row_space(
    features: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Return coordinates of rows in an orthonormal basis of the space that they span.

    An L2 penalty does not see rotations, and its optimum lies in the span of the rows. So a linear
    model on the (n, n) coordinates is the model on the (n, D) features, at n / D of the price.

    Args:
        features: (n, D).

    Returns:
        Coordinates (n, min(n, D)) and the basis (D, n); no basis where n >= D, for then a rotation
        saves nothing and the features are returned as they are.
    """
    rows, columns = features.shape
    if rows >= columns:
        return features, None
    basis, triangle = qr(features.T, mode="economic", check_finite=False)
    return np.ascontiguousarray(triangle.T), basis
