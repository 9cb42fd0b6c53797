"""The trial: some images of a data set, as extraction makes them and as Pillow would."""

from __future__ import annotations

import numpy as np
import torch

from featkit.backbones.preprocessing import Preprocessing
from featkit.data.dataset import Dataset
from featkit.data.decoding import ImageError, check_shape
from featkit.features._choosing import Trial
from featkit.hardware.devices import default_batch

__all__ = ["trial_of"]

_SHARE = 64
"""One image in so many is tried, up to a batch."""

_LEAST = 4
"""With fewer images in the trial than this, there is none."""


def trial_of(
    dataset: Dataset,
    preprocessing: Preprocessing,
    views: int,
    device: torch.device,
    *,
    images: int | None = None,
) -> Trial:
    """Return readable images from all over the data set; none where it is small.

    Args:
        dataset: The images.
        preprocessing: How they become the network's input.
        views: Views of each image that are to be computed.
        device: Where they will be.
        images: How many there are to be in all; None for those of the data set.
    """
    work = len(dataset) if images is None else images
    count = min(default_batch(device), work // _SHARE)
    pixels, reference = [], []
    for row in np.linspace(0, len(dataset) - 1, count if count >= _LEAST else 0).astype(int):
        try:
            image = dataset.images.read(int(row))
            check_shape(image.height, image.width)
        except ImageError:
            continue
        pixels.append(preprocessing(image))
        reference.append(preprocessing.by_pillow(image))
    # A GPU is timed with full batches.
    size = default_batch(device) if pixels and device.type == "cuda" else len(pixels)
    shape = (size, *preprocessing.crop, 3)
    return Trial(
        pixels=np.resize(pixels, shape).astype(np.uint8),
        reference=np.resize(reference, shape).astype(np.uint8),
        work=work * views,
    )
