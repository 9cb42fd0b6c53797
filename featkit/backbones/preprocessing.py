"""Preprocessing: from an image of any size to the pixels that a backbone was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

__all__ = ["DECODERS", "Preprocessing"]

Pixels = NDArray[np.uint8]

_P = TypeVar("_P", Pixels, Tensor)

_REDUCED = 32
"""A GPU's shared memory does not hold the filters of much larger reductions."""

DECODERS = ("cpu", "gpu")
"""Who turns JPEG files into pixels, and resizes them."""

_OF_TORCH = ("bilinear", "bicubic")

_PILLOWS: Mapping[str, Image.Resampling] = MappingProxyType(
    {mode.name.lower(): mode for mode in Image.Resampling}
)


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
        decoder: `cpu`: libjpeg, and resizing in integers; `gpu`: nvJPEG, and resizing in floats
            (`on_device`).
    """

    resize: int | tuple[int, int]
    crop: tuple[int, int]
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    border: bool = False
    decoder: str = "cpu"

    @property
    def resampler(self) -> str:
        """Whose arithmetic resizes: `torch` where it has this interpolation, else `pillow`."""
        return "torch" if self.interpolation in _OF_TORCH else "pillow"

    def __call__(self, image: Image.Image | Pixels) -> Pixels:
        """Return the RGB image (H, W, 3) resized and cropped, shape (height, width, 3), uint8."""
        return self.cropped(self.resized(image))

    def resized(self, image: Image.Image | Pixels) -> Pixels:
        """Return the RGB image as it is before the crop: what augmentation starts from."""
        pixels = np.array(image) if isinstance(image, Image.Image) else image
        height, width = self._size(*pixels.shape[:2])
        if self.resampler == "torch":
            # Pillow's filters in integers, several times as fast: few pixels differ, by a level.
            planes = torch.from_numpy(pixels).permute(2, 0, 1)[None]
            found = functional.interpolate(
                planes, (height, width), mode=self.interpolation, antialias=True
            )
            resized: Pixels = found[0].permute(1, 2, 0).numpy()
        else:
            resized = np.array(self._by_pillow(pixels, height, width))
        return self._padded(resized) if self.border else resized

    def cropped(self, pixels: Pixels) -> Pixels:
        """Return the centre crop of a resized image; what lies outside of it is black."""
        return _centre(pixels, self.crop, fill=(0, 0, 0))

    def on_device(self, images: Tensor) -> Tensor:
        """Return RGB images of one size, uint8, (n, 3, H, W), resized and cropped where they lie.

        Some pixels differ from those of `__call__`, by a level.

        Returns:
            Shape (n, height, width, 3), uint8.
        """
        size, place = self._size(*images.shape[2:]), images.device
        if max(have / want for have, want in zip(images.shape[2:], size, strict=True)) > _REDUCED:
            images = images.cpu()
        found = functional.interpolate(
            images.float(), size, mode=self.interpolation, antialias=True
        )
        resized = found.round_().clamp_(0, 255).to(place, torch.uint8).permute(0, 2, 3, 1)
        return _centre(self._padded(resized) if self.border else resized, self.crop, fill=(0, 0, 0))

    def by_pillow(self, image: Image.Image) -> Pixels:
        """Return what `__call__` does, resized by Pillow: the reference for all faster ways."""
        resized = np.array(self._by_pillow(np.asarray(image), *self._size(*image.size[::-1])))
        return self.cropped(self._padded(resized) if self.border else resized)

    def seen(self, height: int, width: int) -> tuple[float, float, float, float]:
        """Return what part of an image of this size the network sees.

        Returns:
            Left, top, right and bottom as shares of width and height; below 0 or above 1 where the
            network's input goes beyond the image.
        """
        resized = self._size(height, width)
        (high, wide), (tall, broad) = resized, self.crop
        left, top = (wide - broad) / 2 / wide, (high - tall) / 2 / high
        return left, top, left + broad / wide, top + tall / high

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON-like values (for the feature file and fingerprints)."""
        return {**asdict(self), "resampler": self.resampler}

    def _size(self, height: int, width: int) -> tuple[int, int]:
        """Return the height and width that an image of this size is resized to."""
        if isinstance(self.resize, int):
            short, long = sorted((height, width))
            longer = int(self.resize * long / short)
            return (self.resize, longer) if height <= width else (longer, self.resize)
        if not self.border:
            return self.resize
        ratio = max(height / self.resize[0], width / self.resize[1])
        return round(height / ratio), round(width / ratio)

    def _by_pillow(self, pixels: Pixels, height: int, width: int) -> Image.Image:
        image = Image.fromarray(pixels)
        return image.resize((width, height), _PILLOWS[self.interpolation])

    def _padded(self, pixels: _P) -> _P:
        """Return images, padded with the mean colour to the size of the crop or more."""
        size = tuple(max(pair) for pair in zip(self.crop, pixels.shape[-3:-1], strict=True))
        return _centre(pixels, size, fill=[round(255 * mean) for mean in self.mean])


def _centre(pixels: _P, size: Sequence[int], *, fill: Sequence[int]) -> _P:
    """Return the middle (height, width) of images (..., H, W, 3), filled up where they are less."""
    *lead, height, width, _ = pixels.shape
    missing = [max(0, want - have) for want, have in zip(size, (height, width), strict=True)]
    if any(missing):
        whole = _filled(pixels, (*lead, height + missing[0], width + missing[1], 3), fill)
        top, left = (gap // 2 for gap in missing)
        whole[..., top : top + height, left : left + width, :] = pixels
        pixels = whole
    top, left = (
        round((have - want) / 2) for have, want in zip(pixels.shape[-3:-1], size, strict=True)
    )
    return pixels[..., top : top + size[0], left : left + size[1], :]


def _filled(like: _P, shape: tuple[int, ...], colour: Sequence[int]) -> _P:
    """Return pixels of a shape in one colour, of the same kind and place as others."""
    if isinstance(like, Tensor):
        return like.new_tensor(colour).expand(shape).clone()
    return np.broadcast_to(np.array(colour, np.uint8), shape).copy()
