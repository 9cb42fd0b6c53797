"""Thumbnails of images as data URIs, only when the user asks for them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageOps

from featkit.data import Dataset, ImageError, load_dataset
from featkit.errors import DataError

__all__ = ["thumbnails"]

#: Pixels of a side: the page shows half as many, for sharp screens.
_SIDE = 192
_QUALITY = 70


def thumbnails(data: str, image_ids: Sequence[str]) -> dict[str, str]:
    """Return small JPEG images by id; an image that cannot be read is left out.

    Args:
        data: The data set, as in `featkit extract DATA`.
        image_ids: Which images.

    Raises:
        DataError: The data set cannot be read, or holds none of the images.
    """
    dataset = load_dataset(data)
    place = {image_id: row for row, image_id in enumerate(dataset.image_id.tolist())}
    known = [image_id for image_id in image_ids if image_id in place]
    if image_ids and not known:
        raise DataError(
            f"--thumbnails {data}",
            cause=f"it has no image {image_ids[0]}, nor any other that the report shows",
            remedy="Give the data set that the Runs were tested on",
        )
    pictures = ((image_id, _picture(dataset, place[image_id])) for image_id in known)
    return {image_id: picture for image_id, picture in pictures if picture}


def _picture(dataset: Dataset, row: int) -> str:
    try:
        image = dataset.images.read(row)
    except ImageError:
        return ""
    small = ImageOps.fit(image, (_SIDE, _SIDE), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
