"""Augmentation: random variations of a training image, by the names of the steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from PIL import Image
from timm.data.transforms import RandomResizedCropAndInterpolation
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tvf

from featkit.backbones.preprocessing import Preprocessing

__all__ = ["Augmentation"]

_DEGREES = 20.0
"""Free rotation beside the quarter turns: small, so that few invented corners come in."""

_AREA = (0.5, 1.0)
"""Share of the image's area that a random crop keeps."""

_RATIO = (0.85, 1.18)
"""Aspect ratios of a random crop: near one, since a lesion's shape means something."""

_HALF_TURNS = (None, Image.Transpose.ROTATE_180)

_TURNS = (*_HALF_TURNS, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270)


class Augmentation:
    """Random steps on a resized image, then the crop to the network's input.

    Randomness comes from the global generators of Python and PyTorch, as timm's and torchvision's
    transforms want it; seed them for each image.

    Args:
        steps: Names out of `recipe.STEPS`; none = the plain centre crop.
        preprocessing: Of the backbone.
    """

    def __init__(self, steps: Sequence[str], preprocessing: Preprocessing) -> None:
        self._names = tuple(steps)
        self._preprocessing = preprocessing
        self._steps = [_MAKERS[name](preprocessing) for name in _MAKERS if name in steps]

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return a variation of a resized image, of the size of the network's input."""
        for step in self._steps:
            image = step(image)
        return self._preprocessing.cropped(image)

    def __reduce__(self) -> tuple[object, ...]:
        # Steps are closures, which do not cross to processes that are not forked.
        return type(self), (self._names, self._preprocessing)


Step = Callable[[Image.Image], Image.Image]


def _crop(preprocessing: Preprocessing) -> Step:
    interpolation = preprocessing.interpolation
    known = interpolation in {"bilinear", "bicubic"}
    step: Step = RandomResizedCropAndInterpolation(
        preprocessing.crop,
        scale=_AREA,
        ratio=_RATIO,
        interpolation=interpolation if known else "bilinear",
    )
    return step


def _quarter_turns(preprocessing: Preprocessing) -> Step:
    height, width = preprocessing.crop
    turns = _TURNS if height == width else _HALF_TURNS

    def step(image: Image.Image) -> Image.Image:
        turn = turns[int(torch.randint(len(turns), ()))]
        return image if turn is None else image.transpose(turn)

    return step


def _rotation(preprocessing: Preprocessing) -> Step:
    fill = [round(255 * channel) for channel in preprocessing.mean]
    step: Step = v2.RandomRotation(
        _DEGREES, interpolation=tvf.InterpolationMode.BILINEAR, fill=fill
    )
    return step


def _sometimes(step: Step) -> Step:
    chosen: Step = v2.RandomApply([step], p=0.3)
    return chosen


#: In the order in which the steps are taken.
_MAKERS: Mapping[str, Callable[[Preprocessing], Step]] = {
    "crop": _crop,
    "hflip": lambda _: v2.RandomHorizontalFlip(),
    "vflip": lambda _: v2.RandomVerticalFlip(),
    "quarter-turns": _quarter_turns,
    "rotation": _rotation,
    "colour": lambda _: v2.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.2, hue=0.02),
    "blur": lambda _: _sometimes(v2.GaussianBlur(5, sigma=(0.1, 1.5))),
    "sharpen": lambda _: v2.RandomAdjustSharpness(2, p=0.3),
}
