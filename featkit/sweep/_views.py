"""Stored views: which of them heads use, and reading them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from featkit.errors import StoreError, UsageError
from featkit.features import FeatureStore
from featkit.heads import Views

__all__ = ["ViewChoice", "check_choice", "choose_views", "read_views", "require_views"]

ViewChoice = Literal["plain", "all"] | int
"""The views to train on: the plain image, all that are stored, or the first so many."""


def check_choice(wanted: ViewChoice) -> None:
    """Refuse what cannot be meant, whatever the store.

    Raises:
        UsageError: Neither `plain`, `all` nor a positive whole number.
    """
    if wanted in {"plain", "all"} or (isinstance(wanted, int) and wanted >= 1):
        return
    raise UsageError(
        f"--views {wanted}",
        cause="it is neither `plain` nor `all` nor a number of views",
        remedy="Give --views plain, --views all or, for example, --views 5",
    )


def choose_views(store: FeatureStore, wanted: ViewChoice, *, tta: bool) -> Views:
    """Return how many views of a store are trained on and averaged over.

    Args:
        store: The training images' features.
        wanted: The views to train on.
        tta: Average over as many in predictions; over all that are stored, where training is on
            the plain image alone.

    Raises:
        StoreError: The store holds fewer.
    """
    several = max(2, store.shape[1])  # of a single view, "all" would be "plain" by another name
    named = {"plain": 1, "all": several}
    train = named[wanted] if isinstance(wanted, str) else wanted
    test = (train if train > 1 else several) if tta else 1
    views = Views(train=train, test=test)
    require_views(store, views.needed)
    return views


def require_views(store: FeatureStore, needed: int) -> None:
    """Refuse a store that holds fewer views of each image.

    Raises:
        StoreError: It does.
    """
    stored = store.shape[1]
    if stored < needed:
        count = "one view" if stored == 1 else f"{stored} views"
        raise StoreError(
            f"{store.path} holds {count} of each image",
            cause=f"--views and --tta need {'several' if stored == 1 else needed}",
            remedy=f"Extract it with `featkit extract --views {max(5, needed)}`",
        )


def read_views(store: FeatureStore, rows: NDArray[np.intp], count: int) -> NDArray[np.float32]:
    """Return the first views of some rows, shape (n, count, D)."""
    if count == 1:
        return store.numpy(rows=rows)[:, None]
    return np.ascontiguousarray(store.numpy(rows=rows, views="all")[:, :count])
