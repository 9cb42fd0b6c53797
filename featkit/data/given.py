"""Images given one by one, as paths, URLs, PIL images or arrays: a Dataset without labels."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from featkit.data.dataset import Dataset, ImageSource
from featkit.data.decoding import upright_rgb
from featkit.data.sources import FileImages
from featkit.errors import DataError

__all__ = ["GivenImages", "dataset_of"]


class GivenImages:
    """Images in memory, each of its own size.

    Args:
        images: PIL images of any mode, or arrays (H, W, 3) or (H, W) of uint8.
    """

    def __init__(self, images: Sequence[Image.Image | NDArray[np.uint8]]) -> None:
        self._images = tuple(images)

    def __len__(self) -> int:
        return len(self._images)

    def read(self, row: int) -> Image.Image:
        """Return the image in RGB, upright.

        Raises:
            ImageError: It cannot be loaded, or its pixels have no known range.
        """
        image = self._images[row]
        if isinstance(image, np.ndarray):
            return Image.fromarray(image).convert("RGB")
        return upright_rgb(image)

    def signature(self, row: int) -> str:
        """Return a checksum of the image's pixels."""
        return f"{zlib.crc32(self.read(row).tobytes()):08x}"

    def select(self, rows: NDArray[np.intp]) -> GivenImages:
        """Return the source of these rows only, in this order."""
        return GivenImages([self._images[row] for row in rows])


def dataset_of(images: Sequence[Any]) -> Dataset:
    """Return images as a Dataset without labels.

    Args:
        images: All paths or URLs, or each a PIL image or an array (H, W, 3) or (H, W) of uint8.
            An array (n, H, W, 3) or (n, H, W) is n images.

    Raises:
        DataError: One of them is nothing of this kind.
    """
    alone = isinstance(images, str | os.PathLike | Image.Image)
    if alone or (isinstance(images, np.ndarray) and images.ndim == 3 and images.shape[2] == 3):
        raise DataError(
            "one image where several are taken",
            cause=f"a {type(images).__name__} was given",
            remedy="Put it into a list: [image]",
        )
    given = list(images)
    if given and all(isinstance(each, str | os.PathLike) for each in given):
        places = [os.fspath(each) for each in given]
        source: ImageSource = FileImages(places)
        names = _distinct([PurePath(place).name for place in places])
    else:
        source = GivenImages([_image(each, place) for place, each in enumerate(given)])
        names = [str(place) for place in range(len(given))]
    ids = np.array(names, dtype=np.str_)
    return Dataset(
        name="given images",
        images=source,
        image_id=ids,
        label=np.full(len(ids), -1, np.int16),
        group=ids,
        classes=(),
    )


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names, those that occur again with a number."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found if len(set(found)) == len(found) else [f"{n}: {x}" for n, x in enumerate(names)]


def _is_shown(shape: tuple[int, ...]) -> bool:
    return 0 not in shape and (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3))


def _image(given: Any, place: int) -> Image.Image | NDArray[np.uint8]:
    if isinstance(given, Image.Image):
        return given
    if isinstance(given, np.ndarray) and given.dtype == np.uint8 and _is_shown(given.shape):
        return given
    raise DataError(
        f"image {place} of those given",
        cause=f"a {type(given).__name__} is neither a path, a PIL image nor an array (H, W, 3) of "
        "uint8",
        remedy="Give all images as paths, or each as an image or array",
    )
