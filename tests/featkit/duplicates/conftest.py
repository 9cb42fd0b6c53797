"""Drawn skin, and the same skin photographed again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from featkit.data import ArrayImages, Dataset

Pixels = NDArray[np.uint8]


def draw_skin(seed: int, *, height: int = 150, width: int = 200) -> Pixels:
    """Return skin with pigment of several sizes, larger than shown so that it can be turned."""
    rng = np.random.default_rng(seed)
    side = 2 * max(height, width)
    total = np.zeros((side, side), np.float32)
    for deviation, weight in ((2, 0.6), (5, 1.0), (12, 1.0)):
        noise = cv2.GaussianBlur(
            rng.normal(size=(side, side)).astype(np.float32), (0, 0), deviation
        )
        total += weight * noise / noise.std()
    tone = np.array([200, 150, 140], np.float32)
    image = tone + 22 * total[..., None] * np.array([0.8, 1, 1], np.float32)
    return image.clip(60, 255).astype(np.uint8)


def photograph(
    skin: Pixels,
    *,
    rotation: float = 0,
    scale: float = 1,
    mirrored: bool = False,
    shift: tuple[float, float] = (0, 0),
    light: float = 1,
    gamma: float = 1,
    size: tuple[int, int] = (200, 150),
) -> Image.Image:
    """Return a photograph of the middle of the skin, counter-clockwise turned and magnified."""
    centre = ((skin.shape[1] - 1) / 2, (skin.shape[0] - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, rotation, scale)
    matrix[:, 2] += np.array(size) / 2 - 0.5 - np.array(centre) + shift
    seen = cv2.warpAffine(skin, matrix, size, flags=cv2.INTER_AREA)
    if mirrored:
        seen = seen[:, ::-1]
    lit = 255 * (light * (seen / 255)) ** gamma
    return Image.fromarray(lit.clip(0, 255).astype(np.uint8))


@pytest.fixture
def skin() -> Callable[..., Pixels]:
    """Return the maker of skin, by seed."""
    return draw_skin


@pytest.fixture
def shoot() -> Callable[..., Image.Image]:
    """Return the camera."""
    return photograph


@pytest.fixture
def make_dataset() -> Callable[..., Dataset]:
    """Return a maker of Datasets from images, each its own lesion unless told otherwise."""

    def make(
        images: Sequence[Image.Image],
        *,
        group: Sequence[str] | None = None,
        label: Sequence[int] | None = None,
    ) -> Dataset:
        count = len(images)
        return Dataset(
            name="drawn",
            images=ArrayImages(np.stack([np.asarray(image) for image in images])),
            image_id=np.array([f"I{row}" for row in range(count)]),
            label=np.array(label if label is not None else [0] * count, dtype=np.int16),
            group=np.array(group if group is not None else [f"L{row}" for row in range(count)]),
            classes=("nv", "mel"),
        )

    return make
