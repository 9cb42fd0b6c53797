"""Features to fit heads on: real ones where HAM10000 is at hand, else drawn ones like them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from benchmarks.material.places import SHARED, cache
from featkit import FeatureStore

__all__ = ["feature_store", "open_store", "save_split"]

_IMAGES, _LESIONS, _DIMENSION = 10_015, 7_470, 1_280
_SHARES = (0.033, 0.051, 0.11, 0.011, 0.111, 0.67, 0.014)
"""HAM10000's classes."""
_DECAY = 1.1
"""The eigenvalues of standardised MobileNetV2 features on HAM10000 fall like i^-1.1."""
_SIGNAL = 1.0
"""How far classes are apart, in deviations of lesions within one."""


def feature_store(work: Path, *, quick: bool = False) -> tuple[FeatureStore, bool]:
    """Return a store of MobileNetV2 features of HAM10000, and whether it is a real one.

    The real one is made once, in `.benchmarks`, from ../shared/ham10000. Without those images
    features are drawn that have the same size, classes, lesions and spectrum.

    Args:
        work: A temporary folder.
        quick: Draw a few instead.
    """
    if quick:
        return _drawn(work / "features.h5", 1_000, 700, 64), False
    weights, images = SHARED / "weights" / "mobilenetv2_100.tf_in1k", SHARED / "ham10000"
    if weights.exists() and images.exists():
        import featkit

        out = cache() / "ham10000-mobilenetv2.h5"
        if out.exists():
            return FeatureStore.open(out), True
        dataset = featkit.load_dataset(f"ham10000:{images}")
        backbone = featkit.load_backbone(f"local-dir:{weights}")
        return featkit.extract(dataset, backbone, out), True
    return _drawn(work / "features.h5", _IMAGES, _LESIONS, _DIMENSION), False


def open_store(path: Path, *, drawn: bool) -> FeatureStore:
    """Return a store that `feature_store` made."""
    if not drawn:
        return FeatureStore.open(path)
    return FeatureStore.from_hdf5(
        path, features="features", label="label", group="group", backbone="drawn"
    )


def save_split(store: FeatureStore, rows: int, place: Path) -> Path:
    """Write `rows` training images and the images of all other lesions, and return the file.

    The NumPy file holds `X`, `y` and `groups` of the training rows, and `X_test`, `y_test` and
    `groups_test` of images that show none of their lesions. Features are float32.

    Args:
        store: Where from.
        rows: Number of training rows.
        place: The file.
    """
    lesions, of_image = np.unique(store.group, return_inverse=True)
    order = np.random.default_rng(0).permutation(len(lesions))[of_image]
    by_lesion = np.argsort(order, kind="stable")
    train = by_lesion[:rows]
    test = by_lesion[rows:][order[by_lesion[rows:]] > order[train[-1]]]
    features = store.numpy().astype(np.float32)
    np.savez(
        place,
        X=features[train],
        y=store.label[train],
        groups=store.group[train],
        X_test=features[test],
        y_test=store.label[test],
        groups_test=store.group[test],
    )
    return place


def _drawn(path: Path, images: int, lesions: int, dimension: int) -> FeatureStore:
    if not path.exists():
        features, label, group = _draw(images, lesions, dimension)
        with h5py.File(path, "w") as file:
            file["features"], file["label"] = features, label
            file["group"] = np.char.mod("lesion-%05d", group).astype("S")
    return open_store(path, drawn=True)


def _draw(
    images: int, lesions: int, dimension: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return features (n, D), labels and lesions; images of a lesion resemble each other."""
    generator = np.random.default_rng(0)
    group = np.sort(
        np.concatenate([np.arange(lesions), generator.integers(lesions, size=images - lesions)])
    )
    classes = generator.choice(len(_SHARES), size=lesions, p=np.divide(_SHARES, sum(_SHARES)))
    deviation = np.arange(1, dimension + 1) ** (-_DECAY / 2)
    means = generator.standard_normal((len(_SHARES), dimension)) * deviation * _SIGNAL
    of_lesion = means[classes] + generator.standard_normal((lesions, dimension)) * deviation
    own = generator.standard_normal((images, dimension)) * deviation / 2
    rotation = np.linalg.qr(generator.standard_normal((dimension, dimension)))[0]
    features = (of_lesion[group] + own) @ rotation
    return features.astype(np.float32), classes[group], group
