"""Augmentation: random variations of a batch of images, drawn on the host, made on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from featkit.backbones.preprocessing import Preprocessing
from featkit.finetuning._colour import GREY, colours
from featkit.finetuning._filters import WIDTH, kernels
from featkit.finetuning._geometry import sources
from featkit.finetuning._pixels import Raw

__all__ = ["CHANCES", "Augmentation"]

CHANCES = (
    "area",
    "ratio",
    "top",
    "left",
    "hflip",
    "vflip",
    "turn",
    "angle",
    "brightness",
    "contrast",
    "saturation",
    "hue",
    "blur",
    "sigma",
    "sharpen",
)
"""What is drawn for an image, whether its recipe takes the step or not."""


@dataclass(frozen=True, eq=False)
class _Variation:
    """What is done to each image of a batch.

    Attributes:
        start: Of each image in the pixels, shape (B, 1, 1).
        shapes: Heights and widths, float32 (B, 2, 1, 1).
        maps: From places in the view to places in the image, float32 (B, 2, 3).
        colours: Maps of colours, float32 (B, 3, 3).
        grey: Share of the image's mean grey that is added, float32 (B,).
        filtered: Which images are blurred or sharpened, shape (n,).
        kernels: By what, float32 (n, WIDTH, WIDTH).
    """

    start: Tensor
    shapes: Tensor
    maps: Tensor
    colours: Tensor
    grey: Tensor
    filtered: Tensor
    kernels: Tensor

    def to(self, device: torch.device) -> _Variation:
        """Return it on a device."""
        parts = (getattr(self, field.name) for field in fields(self))
        return _Variation(*(part.to(device, non_blocking=True) for part in parts))


class Augmentation:
    """Random steps on resized images, and their normalised views of the network's input size.

    All geometric steps are one map, sampled once bilinearly; colours are mapped linearly. What a
    view needs of the other images of its batch is nothing.

    Args:
        steps: Names out of `recipe.STEPS`; none = the plain centre crop.
        preprocessing: Of the backbone.
        device: Where views are made.
    """

    def __init__(
        self, steps: Sequence[str], preprocessing: Preprocessing, device: torch.device
    ) -> None:
        self._steps = frozenset(steps)
        self._crop = preprocessing.crop
        self._device = device
        mean, std = (
            torch.tensor(values).view(3, 1).to(device)
            for values in (preprocessing.mean, preprocessing.std)
        )
        self._fill = [float(round(255 * channel)) for channel in preprocessing.mean]
        self._scale, self._shift = 1 / (255 * std), -mean / std
        self._low, self._high = self._shift, (1 - mean) / std
        self._grey = torch.from_numpy(GREY).float().to(device)

    def drawn(self, chances: NDArray[np.float64], raw: Raw) -> _Variation:
        """Return what numbers in [0, 1), shape (B, len(CHANCES)), decide for a batch."""
        chance = dict(zip(CHANCES, chances.T, strict=True))
        number = len(chances)
        maps, grey = np.broadcast_to(np.eye(3), (number, 3, 3)), np.zeros(number)
        if "colour" in self._steps:
            maps, grey = colours(chance)
        filtered, kernel = kernels(self._steps, chance)
        return _Variation(
            start=torch.from_numpy(raw.start).view(-1, 1, 1),
            shapes=_float(raw.shapes)[:, :, None, None],
            maps=_float(sources(self._steps, chance, raw.shapes, self._crop)[:, :2]),
            colours=_float(maps),
            grey=_float(grey),
            filtered=torch.from_numpy(filtered),
            kernels=_float(kernel),
        )

    def __call__(self, chances: NDArray[np.float64], raw: Raw) -> Tensor:
        """Return normalised views (B, 3, H, W) on the device, channels last in memory."""
        variation = self.drawn(chances, raw).to(self._device)
        pixels = raw.pixels.to(self._device, non_blocking=True)
        # At the right and lower edges the neighbour is any pixel, with no weight: the margin is
        # for the last of all. One number a pixel is fetched four times faster than three.
        margin = int(raw.shapes[:, 1].max()) + 2
        packed = functional.pad(pixels, (0, 1, 0, margin)).view(torch.int32).view(-1)
        views = self._coloured(self._sampled(packed, variation), variation)
        if len(variation.filtered):
            chosen = views[variation.filtered]
            views[variation.filtered] = _filtered(chosen, variation.kernels)
        views = views.clamp(self._low[:, :, None], self._high[:, :, None])
        return views.contiguous(memory_format=torch.channels_last)

    def _sampled(self, packed: Tensor, variation: _Variation) -> Tensor:
        """Return the colours at every place of the views, from 0 to 255, shape (B, 3, H, W)."""
        x, y = self._places(variation.maps)
        height, width = variation.shapes.unbind(1)
        inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
        x, y = x.clamp_(min=0).minimum(width - 1), y.clamp_(min=0).minimum(height - 1)
        left, top = x.floor(), y.floor()
        place = (top * width + left).long() + variation.start
        x, y = x - left, y - top
        below = place + width.long()
        corners = [
            source.index_select(0, where.view(-1)).view(where.shape)
            for where in (place, below)
            for source in (packed, packed[1:])
        ]
        views = torch.empty(len(x), 3, *self._crop, device=x.device)
        for channel, fill in enumerate(self._fill):
            a, b, c, d = ((corner >> 8 * channel & 255).float() for corner in corners)
            mixed = a.lerp_(b, x).lerp_(c.lerp_(d, x), y)
            views[:, channel] = torch.where(inside, mixed, fill)
        return views

    def _places(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Return x and y in the image of every place of the views, each (B, H, W)."""
        down, across = (
            torch.arange(length, dtype=torch.float32, device=maps.device) for length in self._crop
        )
        a, b, shift = maps[:, :, :, None, None].unbind(2)
        x, y = (a * across + (b * down[:, None] + shift)).unbind(1)
        return x, y

    def _coloured(self, views: Tensor, variation: _Variation) -> Tensor:
        """Return the views in other colours and normalised, not yet clamped."""
        flat = views.flatten(2)
        added = variation.grey * (flat.mean(2) @ self._grey)
        shift = added[:, None, None] * self._scale + self._shift
        return torch.baddbmm(shift, self._scale * variation.colours, flat).view_as(views)


def _float(values: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def _filtered(views: Tensor, kernels: Tensor) -> Tensor:
    """Return views (n, 3, H, W), each filtered by its kernel."""
    padded = functional.pad(views, [WIDTH // 2] * 4, mode="replicate")
    weight = kernels.repeat_interleave(3, dim=0)[:, None]
    flat = functional.conv2d(padded.flatten(0, 1)[None], weight, groups=len(weight))
    return flat.view_as(views)
