"""What a feature file says of itself, for `featkit inspect`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from featkit.features.store import FeatureStore

__all__ = ["describe"]


def describe(store: FeatureStore, *, verify: bool | None = None) -> dict[str, Any]:
    """Return everything known of a feature file as JSON-like values.

    Args:
        store: The file.
        verify: Read the whole store and compare its checksums first. None for doing so where it
            has no shards: of a store of millions of images only what is quickly told is told.

    Raises:
        StoreError: The file is damaged.
    """
    quick = store.shards > 0 and not verify
    verify = not store.shards if verify is None else verify
    if verify:
        store.verify()
    rows, views, dimension = store.shape
    counts = np.bincount(store.label[store.label >= 0], minlength=len(store.classes))
    return {
        "path": str(store.path),
        "bytes": store.bytes,
        "shards": store.shards,
        "checksums": "all right" if verify else "not checked",
        "backbone_name": store.backbone_name,
        "images": rows,
        "views": views,
        "dimension": dimension,
        "dtype": str(store.dtype),
        "done": int(store.done.sum()),
        "failed": int((~store.done).sum()),
        "failures": dict(Counter(store.failures.values()).most_common()),
        "groups": "not counted" if quick else len(np.unique(store.group)),
        "by_class": dict(zip(store.classes, counts.tolist(), strict=True)),
        "unlabelled": int((store.label < 0).sum()),
        "split": "not counted" if quick else _split(store),
        "metadata": list(store.metadata),
        "fine_tuned": bool(len(store.trained_on)),
        "attributes": dict(store.attributes),
    }


def _split(store: FeatureStore) -> dict[str, int] | None:
    return None if store.split is None else dict(Counter(store.split.tolist()))
