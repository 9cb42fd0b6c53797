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
        StoreError: A given file cannot be read, or is of other images.
    """
    if given:
        return tuple(_checked(grid, path) for path in given)
    wanted = {grid.example(method).key.source for method in grid.methods}
    places = dict.fromkeys(place for folder in folders for place in (folder, folder.parent))
    found: dict[str, FeatureStore] = {}
    for path in (path for place in places for path in sorted(place.glob("*.h5"))):
        store = _readable(path)
        if store is not None and store.fingerprint in wanted:
            found.setdefault(store.fingerprint, store)
    return tuple(sorted(found.values(), key=lambda store: store.backbone_name))


def _checked(grid: Grid, path: Path) -> FeatureStore:
    """Return a store that holds images that the Runs were tested on."""
    store = FeatureStore.open(path)
    tested = {name for test in grid.tests.values() for name in test.image_id.tolist()}
    if tested.isdisjoint(store.image_id.tolist()):
        raise StoreError(
            f"{path} holds none of the images that the Runs were tested on",
            cause=f"it is of {store.dataset_name}",
            remedy="Give the feature files that `featkit fit` was given",
        )
    return store


def _readable(path: Path) -> FeatureStore | None:
    try:
        return FeatureStore.open(path)
    except StoreError:
        return None  # some other HDF5 file; nobody asked for it
