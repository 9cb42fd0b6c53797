"""The feature files of Runs: given by the user, or lying beside their folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from featkit.comparison import Grid
from featkit.errors import StoreError
from featkit.features import FeatureStore

__all__ = ["find_stores"]


def find_stores(
    grid: Grid, folders: Sequence[Path], given: Sequence[Path]
) -> tuple[FeatureStore, ...]:
    """Return the files given, or those that the Runs name, found in or beside their folders.

    Raises:
        StoreError: A given file cannot be read.
    """
    if given:
        return tuple(FeatureStore.open(path) for path in given)
    wanted = {grid.example(method).key.source for method in grid.methods}
    places = dict.fromkeys(place for folder in folders for place in (folder, folder.parent))
    found: dict[str, FeatureStore] = {}
    for path in (path for place in places for path in sorted(place.glob("*.h5"))):
        store = _readable(path)
        if store is not None and store.fingerprint in wanted:
            found.setdefault(store.fingerprint, store)
    return tuple(sorted(found.values(), key=lambda store: store.backbone_name))


def _readable(path: Path) -> FeatureStore | None:
    try:
        return FeatureStore.open(path)
    except StoreError:
        return None  # some other HDF5 file; nobody asked for it
