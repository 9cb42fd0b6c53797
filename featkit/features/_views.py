"""Views: mild, deterministic variations of an image beside the plain one."""

from __future__ import annotations

import random

from PIL import Image, ImageEnhance

from featkit.fingerprints import stable_seed

__all__ = ["view_of"]

_AREA = (0.7, 1.0)
"""Share of the image's area that the crop keeps, in the image's own proportions."""

_LIGHT = (0.9, 1.1)
"""Factor of brightness, then of contrast."""

_TURNS = (
    None,
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
)


def view_of(image: Image.Image, *, image_id: str, view: int) -> Image.Image:
    """Return one view of an image; view 0 is the image itself.

    Views 1 and up are a random crop, a quarter turn, a mirroring and a change of brightness and
    contrast. Proportions and colours stay: the shape and hue of a lesion mean something. A view
    depends on `image_id` and `view` alone, so that adding views or images changes no other.

    Args:
        image: RGB, at its original size.
        image_id: The image's id in its data set.
        view: Which view, from 0.
    """
    if view == 0:
        return image
    # Python's generator gives the same numbers in every version, NumPy's need not.
    rng = random.Random(stable_seed("view", image_id, view))
    varied = _cropped(image, rng)
    turn = rng.choice(_TURNS)
    if turn is not None:
        varied = varied.transpose(turn)
    if rng.random() < 0.5:
        varied = varied.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    varied = ImageEnhance.Brightness(varied).enhance(rng.uniform(*_LIGHT))
    return ImageEnhance.Contrast(varied).enhance(rng.uniform(*_LIGHT))


def _cropped(image: Image.Image, rng: random.Random) -> Image.Image:
    side = rng.uniform(*_AREA) ** 0.5
    width, height = max(1, round(image.width * side)), max(1, round(image.height * side))
    left = rng.randint(0, image.width - width)
    top = rng.randint(0, image.height - height)
    return image.crop((left, top, left + width, top + height))
