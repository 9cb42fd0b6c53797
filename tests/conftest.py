"""What all tests share: the real data beside the repository, and small stores of features."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from featkit.features import FeatureStore

REPOSITORY = Path(__file__).parent.parent
SHARED = REPOSITORY.parent / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if SHARED.exists():
        return
    absent = pytest.mark.skip(reason="needs the real images and weights in ../shared")
    for item in items:
        if "shared" in item.keywords:
            item.add_marker(absent)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real images and weights; tests that use it are marked `shared`."""
    return SHARED


def write_features(
    path: Path,
    *,
    lesions: tuple[int, ...] = (60, 24, 15),
    dimension: int = 6,
    separation: float = 1.6,
    seed: int = 0,
    prefix: str = "",
) -> Path:
    """Write features of lesions with one to three images each as a foreign HDF5 file."""
    generator = np.random.default_rng(seed)
    label, group = [], []
    for index, count in enumerate(lesions):
        for lesion in range(count):
            images = 1 + (lesion % 3 == 0) + (lesion % 6 == 0)
            label += [f"class{index}"] * images
            group += [f"{prefix}L{index}-{lesion}"] * images
    centres = generator.normal(size=(len(lesions), dimension)) * separation
    codes = np.array([int(name.removeprefix("class")) for name in label])
    names, lesion_of = np.unique(group, return_inverse=True)
    of_lesion = generator.normal(size=(len(names), dimension))[lesion_of]
    noise = 0.3 * generator.normal(size=(len(label), dimension))
    with h5py.File(path, "w") as file:
        file["features"] = (centres[codes] + of_lesion + noise).astype(np.float32)
        file["label"] = np.array(label, dtype="S")
        file["group"] = np.array(group, dtype="S")
        file["image_id"] = np.array([f"{prefix}I{row:05d}" for row in range(len(label))], dtype="S")
    return path


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., FeatureStore]:
    """Return a maker of small stores: `make_store(name, backbone=…, …)`."""

    def make(
        name: str = "features.h5", *, backbone: str = "net", **options: object
    ) -> FeatureStore:
        path = write_features(tmp_path / name, **options)  # type: ignore[arg-type]
        return FeatureStore.from_hdf5(
            path,
            features="features",
            label="label",
            group="group",
            image_id="image_id",
            backbone=backbone,
        )

    return make
