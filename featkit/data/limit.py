"""A smaller Dataset of whole lesions that keeps the classes' shares: `--limit N`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from featkit.data.dataset import Dataset
from featkit.errors import UsageError
from featkit.fingerprints import stable_order

__all__ = ["limit_dataset"]

_LEAST_LESIONS = 5
"""What every class keeps, or all it has: one for each of five folds."""


def limit_dataset(dataset: Dataset, n: int) -> Dataset:
    """Return at most `n` images: the same whole lesions on every machine.

    Lesions are ordered by the hash of their ids and dealt so that every class (in every part of
    an official split) has its share of the images at any length; the first five lesions of each
    come before all others. A smaller limit is therefore a subset of a greater one. Rows keep the
    Dataset's order.

    Args:
        dataset: What to choose from.
        n: Number of images, exceeded only where five lesions of each class are more.

    Raises:
        UsageError: `n` is not positive.
    """
    if n < 1:
        raise UsageError(
            f"--limit {n}", cause="the limit is below 1", remedy="Give a positive number of images"
        )
    if n >= len(dataset):
        return dataset
    names, first, lesion = np.unique(dataset.group, return_index=True, return_inverse=True)
    images = np.bincount(lesion)
    turn = _turns(_strata(dataset)[first], images, stable_order(names.tolist(), "limit"))
    dealt = np.argsort(turn, kind="stable")
    fits = (np.cumsum(images[dealt]) <= n) | (turn[dealt] == 0)
    chosen = np.zeros(len(names), dtype=bool)
    chosen[dealt[fits]] = True
    limited = dataset.select(np.flatnonzero(chosen[lesion]))
    return replace(limited, origin=(*dataset.origin, "--limit", str(n)) if dataset.origin else ())


def _strata(dataset: Dataset) -> NDArray[np.intp]:
    """Return a number for each row's class and official split, shape (N,)."""
    split = np.zeros(len(dataset), dtype=np.intp)
    if dataset.split is not None:
        split = np.unique(dataset.split, return_inverse=True)[1]
    return split * (len(dataset.classes) + 1) + dataset.label + 1


def _turns(
    stratum: NDArray[np.intp], images: NDArray[np.intp], order: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return when each lesion is taken: its stratum's share of images dealt until then.

    Args:
        stratum: Of each lesion, shape (L,).
        images: Of each lesion, shape (L,).
        order: Of the lesions, shape (L,).

    Returns:
        From 0 (taken in any case) to 1, shape (L,).
    """
    turn = np.empty(len(stratum))
    for value in np.unique(stratum):
        members = order[stratum[order] == value]
        dealt = np.cumsum(images[members])
        turn[members] = dealt / dealt[-1]
        turn[members[:_LEAST_LESIONS]] = 0
    return turn
