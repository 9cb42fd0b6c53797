"""Candidates: the pairs of images across lesions whose features are most alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.progress import NoProgress, Progress

__all__ = ["Candidates", "count_lesions", "half_whitened", "nearest_across"]

_BLOCK = 512
"""Images compared with all others at a time: bounds the memory."""

_SMALLEST = 1e-3
"""Directions with less than this share of the largest variance are noise, and stay small."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """P pairs of rows, the most similar first.

    Attributes:
        first: Row of one image, shape (P,).
        second: Row of the other, above `first`, shape (P,).
        similarity: Cosine of the features, over the views at best, shape (P,).
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    similarity: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.first)


def half_whitened(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return features with the commonest differences played down, as unit vectors.

    The directions in which images differ most (colour, size, vignette) hide what tells
    one lesion from the next. Each principal component is divided by the root of its deviation;
    by the deviation itself, noise would count as much.

    Args:
        features: Shape (N, V, D), view 0 the plain image.
    """
    count, views, dimension = features.shape
    mean = features.mean(axis=(0, 1), dtype=np.float64)
    unit: NDArray[np.float32] = features - mean.astype(np.float32)
    covariance = np.zeros((dimension, dimension))
    for view in range(views):
        covariance += unit[:, view].T @ unit[:, view]
    variance, axes = np.linalg.eigh(covariance / (count * views))
    floor = max(float(variance[-1]) * _SMALLEST, 1e-12)
    change = (axes / np.maximum(variance, floor) ** 0.25).astype(np.float32)
    for view in range(views):
        turned = unit[:, view] @ change
        length = np.linalg.norm(turned, axis=1, keepdims=True)
        unit[:, view] = turned / np.maximum(length, 1e-9)
    return unit


def nearest_across(
    features: NDArray[np.float32],
    group: NDArray[np.str_],
    *,
    neighbours: int,
    progress: Progress | None = None,
) -> Candidates:
    """Find each image's nearest neighbours among other lesions' images, exactly.

    Similarity of two images is the cosine of one as it stands and the other in its best view.

    Args:
        features: Unit vectors, shape (N, V, D), view 0 the plain image.
        group: Lesion of each image, "" = unknown, hence a lesion of its own, shape (N,).
        neighbours: How many of each image.
        progress: Who listens; nobody where it is None.

    Returns:
        Each pair once, whichever of the two is the other's neighbour.
    """
    progress = progress or NoProgress()
    count = len(features)
    number = _lesion_numbers(group)
    found: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]] = []
    progress.start("nearest neighbours", total=count, unit="images")
    for start in range(0, count, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, count))
        similarity = _similarity(features, rows)
        similarity[number[rows][:, None] == number] = -np.inf
        found.append(_highest(similarity, rows, min(neighbours, count - 1)))
        progress.advance(len(rows))
    progress.finish()
    row, column, value = (np.concatenate(part) for part in zip(*found, strict=True))
    return _distinct(row, column, value, count)


def count_lesions(group: NDArray[np.str_]) -> int:
    """Return the number of lesions; an image of unknown lesion ("") is one of its own."""
    return len(np.unique(_lesion_numbers(group)))


def _lesion_numbers(group: NDArray[np.str_]) -> NDArray[np.intp]:
    number = np.unique(group, return_inverse=True)[1]
    return np.where(group == "", len(group) + np.arange(len(group)), number)


def _similarity(features: NDArray[np.float32], rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the best cosine of these rows' views with all plain images, shape (n, N)."""
    plain = features[:, 0].T
    best: NDArray[np.float32] = features[rows, 0] @ plain
    for view in range(1, features.shape[1]):
        np.maximum(best, features[rows, view] @ plain, out=best)
    return best


def _highest(
    similarity: NDArray[np.float32], rows: NDArray[np.intp], neighbours: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    column = np.argpartition(-similarity, neighbours - 1, axis=1)[:, :neighbours]
    value = np.take_along_axis(similarity, column, axis=1)
    row = np.broadcast_to(rows[:, None], column.shape)
    kept = np.isfinite(value)
    return row[kept], column[kept], value[kept]


def _distinct(
    row: NDArray[np.intp], column: NDArray[np.intp], value: NDArray[np.float32], count: int
) -> Candidates:
    """Return each pair once, with its higher similarity, the most similar pairs first."""
    first, second = np.minimum(row, column), np.maximum(row, column)
    order = np.lexsort((second, first, -value))
    pair = first[order] * count + second[order]
    kept = order[np.sort(np.unique(pair, return_index=True)[1])]
    return Candidates(first[kept], second[kept], value[kept])
