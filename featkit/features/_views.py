"""Views: mild, deterministic variations of an image beside the plain one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from featkit.backbones.preprocessing import Preprocessing
from featkit.fingerprints import stable_seed

__all__ = ["View", "all_views", "view_of"]

Pixels = NDArray[np.uint8]

_AREA = (0.7, 1.0)
"""Share of the image's area that the crop keeps, in the image's own proportions."""

_LIGHT = (0.9, 1.1)
"""Factor of brightness, then of contrast."""


@dataclass(frozen=True)
class View:
    """A crop, quarter turns, a mirroring, and a change of brightness and contrast.

    Proportions and colours stay: the shape and hue of a lesion mean something.

    Attributes:
        top: First row of the crop.
        left: First column.
        height: Rows.
        width: Columns.
        turns: Quarter turns against the clock, 0 to 3.
        mirrored: Left and right exchanged, after turning.
        brightness: Factor.
        contrast: Factor, about the mean grey.
    """

    top: int
    left: int
    height: int
    width: int
    turns: int
    mirrored: bool
    brightness: float
    contrast: float

    def shaped(self, pixels: Pixels) -> Pixels:
        """Return the image (H, W, 3), at its original size, cropped, turned and mirrored."""
        rows = slice(self.top, self.top + self.height)
        columns = slice(self.left, self.left + self.width)
        turned = np.rot90(pixels[rows, columns], self.turns)
        return np.ascontiguousarray(turned[:, ::-1] if self.mirrored else turned)

    def lit(self, pixels: Pixels) -> Pixels:
        """Return the image (h, w, 3), as the network takes it, in the view's light."""
        image = ImageEnhance.Brightness(Image.fromarray(pixels)).enhance(self.brightness)
        return np.asarray(ImageEnhance.Contrast(image).enhance(self.contrast))


def view_of(height: int, width: int, *, image_id: str, view: int) -> View:
    """Return one view of an image; view 0 is the image itself and needs none.

    A view depends on the image's size, `image_id` and `view` alone, so that adding views or
    images changes no other.

    Args:
        height: Of the image, in pixels.
        width: Of the image, in pixels.
        image_id: The image's id in its data set.
        view: Which view, from 1.
    """
    # Python's generator gives the same numbers in every version, NumPy's need not.
    rng = random.Random(stable_seed("view", image_id, view))
    side = rng.uniform(*_AREA) ** 0.5
    columns, rows = max(1, round(width * side)), max(1, round(height * side))
    return View(
        width=columns,
        height=rows,
        left=rng.randint(0, width - columns),
        top=rng.randint(0, height - rows),
        turns=rng.randrange(4),
        mirrored=rng.random() < 0.5,
        brightness=rng.uniform(*_LIGHT),
        contrast=rng.uniform(*_LIGHT),
    )


def all_views(
    image: Pixels, preprocessing: Preprocessing, *, views: int, image_id: str
) -> Iterator[Pixels]:
    """Yield the network's input of each view, (height, width, 3), uint8, the plain one first.

    Args:
        image: RGB, upright, at its original size, (H, W, 3).
        preprocessing: How it becomes the network's input.
        views: How many.
        image_id: What the variations are drawn by.
    """
    yield preprocessing(image)
    height, width, _ = image.shape
    for number in range(1, views):
        view = view_of(height, width, image_id=image_id, view=number)
        yield view.lit(preprocessing(view.shaped(image)))
