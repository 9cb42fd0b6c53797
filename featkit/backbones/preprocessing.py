"""Preprocessing: from an image of any size to the pixels that a backbone was trained on."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as tvf

__all__ = ["Preprocessing"]


@dataclass(frozen=True)
class Preprocessing:
    """Resize, centre crop and normalise, as the backbone's authors did.

    Attributes:
        resize: The shorter side in pixels, or (height, width) where both are fixed.
        crop: (height, width) of the centre crop, in pixels.
        interpolation: `nearest`, `bilinear`, `bicubic`, `lanczos`, `hamming` or `box`, always
            antialiased.
        mean: Per channel, on the scale 0 to 1.
        std: Per channel, on the scale 0 to 1.
        border: With (height, width) as `resize`: keep the aspect ratio, fit the whole image inside
            and fill the rest with the mean colour, where otherwise the image is squashed.
    """

    resize: int | tuple[int, int]
    crop: tuple[int, int]
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    border: bool = False

    def __call__(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the RGB image resized and cropped, shape (height, width, 3), uint8."""
        return np.array(self.cropped(self.resized(image)))

    def resized(self, image: Image.Image) -> Image.Image:
        """Return the image as it is before the crop: what augmentation starts from."""
        mode = InterpolationMode(self.interpolation)
        resized: Image.Image = tvf.resize(image, self._size(image), interpolation=mode)
        return self._padded(resized) if self.border else resized

    def cropped(self, image: Image.Image) -> Image.Image:
        """Return the centre crop of a resized image."""
        centre: Image.Image = tvf.center_crop(image, list(self.crop))
        return centre

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON-like values (for the feature file and fingerprints)."""
        return asdict(self)

    def _size(self, image: Image.Image) -> list[int]:
        """Return what the image is resized to: [shorter side] or [height, width]."""
        if isinstance(self.resize, int):
            return [self.resize]
        if not self.border:
            return list(self.resize)
        ratio = max(image.height / self.resize[0], image.width / self.resize[1])
        return [round(image.height / ratio), round(image.width / ratio)]

    def _padded(self, image: Image.Image) -> Image.Image:
        """Return the image, padded with the mean colour to the size of the crop or more."""
        missing = [max(0, self.crop[1] - image.width), max(0, self.crop[0] - image.height)]
        sides = [n // 2 for n in missing] + [(n + 1) // 2 for n in missing]
        padded: Image.Image = tvf.pad(image, sides, fill=[round(255 * m) for m in self.mean])
        return padded
