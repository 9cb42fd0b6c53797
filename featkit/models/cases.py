"""Cases: the training images' features, to tell what is near to an image and what is unlike all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from featkit.models._search import Found, Search, search_of

__all__ = ["Cases"]

_SAMPLE = 2000
"""Lesions whose distance from all others is measured, at most."""


@dataclass(frozen=True, eq=False)
class Cases:
    """The images that a model was trained on.

    Similarity is the cosine of features. An image is as strange as it is far from its k-th nearest
    case (Sun et al., "Out-of-distribution detection with deep nearest neighbors", ICML 2022), and
    that is judged by how far training lesions are from each other: the share of them that are
    nearer is a number from 0 to 1 that means the same for all models. `benchmarks/strange.py`
    compares it with other distances.

    Attributes:
        features: Plain views' features, (n, D), float16 or float32.
        image_id: Shape (n,).
        group: Lesions, shape (n,).
        label: Index into the model's classes, shape (n,), int16.
        neighbours: k.
        distances: How far some training lesions are from the k-th nearest case of another lesion,
            ascending, shape (m,), float32.
    """

    features: NDArray[np.floating]
    image_id: NDArray[np.str_]
    group: NDArray[np.str_]
    label: NDArray[np.int16]
    neighbours: int
    distances: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        features: NDArray[np.float32],
        *,
        image_id: NDArray[np.str_],
        group: NDArray[np.str_],
        label: NDArray[np.int16],
        neighbours: int = 5,
    ) -> Cases:
        """Return the cases of a training set.

        Args:
            features: Plain views' features, shape (n, D).
            image_id: Shape (n,).
            group: Shape (n,).
            label: Shape (n,).
            neighbours: k, at most; fewer where there are not so many other lesions.
        """
        most = max(1, min(neighbours, len(np.unique(group)) - 1))
        kept: NDArray[np.floating] = features
        if np.abs(features).max(initial=0) <= np.finfo(np.float16).max:
            kept = features.astype(np.float16)
        nothing = np.empty(0, np.float32)
        bare = cls(kept, image_id, group, label.astype(np.int16), most, nothing)
        return cls(kept, image_id, group, bare.label, most, _left_out(bare))

    def __len__(self) -> int:
        return len(self.image_id)

    def nearest(self, features: NDArray[np.float32], count: int) -> Found:
        """Return the most similar cases of each image.

        Args:
            features: Shape (n, D).
            count: How many; all, where there are fewer.
        """
        return self._search.nearest(self.placed(features), min(count, len(self)))

    def unlike(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the share of training lesions that are nearer to the others, shape (n,).

        From 0 (as near as the nearest) to 1 (farther than all).

        Args:
            features: Shape (n, D).
        """
        found = self.nearest(features, self.neighbours)
        distance = 1 - found.similarity[:, -1]
        below = np.searchsorted(self.distances, distance, side="left")
        return np.asarray(below / len(self.distances))

    def placed(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return features (n, D) as unit vectors."""
        values = features.astype(np.float64)
        length = np.linalg.norm(values, axis=1, keepdims=True)
        unit = values / np.maximum(length, np.finfo(np.float32).tiny)
        return np.asarray(unit, np.float32)

    @cached_property
    def _search(self) -> Search:
        return search_of(self.placed(self.features))


def _left_out(cases: Cases) -> NDArray[np.float32]:
    """Return how far lesions are from the k-th nearest case of another lesion, ascending."""
    _, first = np.unique(cases.group, return_index=True)
    if len(first) > _SAMPLE:
        first = np.random.default_rng(0).choice(first, _SAMPLE, replace=False)
    largest = np.unique(cases.group, return_counts=True)[1].max()
    near = cases.nearest(cases.features[first], cases.neighbours + int(largest))
    other = cases.group[near.rows] != cases.group[first][:, None]
    # The k-th of those that are left, in the order of similarity.
    place = (np.cumsum(other, axis=1) == cases.neighbours).argmax(axis=1)
    kth = near.similarity[np.arange(len(first)), place]
    return np.sort(1 - kth).astype(np.float32)
