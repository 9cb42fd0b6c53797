"""A data set's own mean and deviation, in place of those that a backbone was trained with."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from featkit.backbones.backbone import Backbone
from featkit.backbones.preprocessing import Preprocessing
from featkit.data import Dataset, ImageError
from featkit.errors import DataError
from featkit.progress import NoProgress, Progress

__all__ = ["normalised_by", "normalised_with"]

_DIGITS = 4
"""Decimals that are kept: sums on another machine differ far behind them."""

_AT_A_TIME = 256

Channels = tuple[float, float, float]


def normalised_by(
    backbone: Backbone,
    dataset: Dataset,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Backbone:
    """Return the backbone with inputs normalised by the data set's own channels.

    Mean and standard deviation are taken over all pixels of all readable images, resized and
    cropped as the backbone sees them; no label has a part in them. They are part of the
    preprocessing, hence of the backbone's fingerprint and of every feature file.

    Args:
        backbone: Whose preprocessing is changed.
        dataset: The images.
        workers: Threads that decode; None for one for each core.
        progress: Told of every image.

    Raises:
        DataError: No image can be read.
    """
    listener = progress or NoProgress()
    listener.start(f"mean colour of {dataset.name}", total=len(dataset), unit="images")
    # Sums in the order of the rows: the same result for any number of threads.
    moments = np.zeros((2, 3))
    count = 0
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for start in range(0, len(dataset), _AT_A_TIME):
            rows = range(start, min(start + _AT_A_TIME, len(dataset)))
            for found in pool.map(lambda row: _moments(dataset, row, backbone), rows):
                if found is not None:
                    moments, count = moments + found, count + 1
            listener.advance(len(rows))
    listener.finish()
    if not count:
        raise DataError(
            f"{dataset.name} has no readable image",
            cause="its mean colour is asked for",
            remedy="See what is wrong with `featkit data check`",
        )
    mean, squares = moments / count
    variance = np.maximum(squares - mean**2, 0)  # rounding may leave a little less than nothing
    return normalised_with(backbone, _channels(mean), _channels(np.sqrt(variance)))


def normalised_with(backbone: Backbone, mean: Channels, std: Channels) -> Backbone:
    """Return the backbone with inputs normalised by these channels, on the scale 0 to 1.

    Raises:
        DataError: A channel does not vary.
    """
    if min(std) <= 0:
        raise DataError(
            "the images cannot be normalised",
            cause="a colour channel is the same in every pixel",
            remedy="Use the backbone's own normalisation",
        )
    preprocessing: Preprocessing = replace(backbone.preprocessing, mean=mean, std=std)
    return replace(backbone, preprocessing=preprocessing)


def _moments(dataset: Dataset, row: int, backbone: Backbone) -> NDArray[np.float64] | None:
    """Return an image's mean and mean square by channel, (2, 3); None where it cannot be read."""
    try:
        pixels = backbone.preprocessing(dataset.images.read(row))
    except ImageError:
        return None
    scaled = pixels.reshape(-1, 3).astype(np.float64) / 255
    return np.stack([scaled.mean(axis=0), np.square(scaled).mean(axis=0)])


def _channels(values: NDArray[np.float64]) -> Channels:
    red, green, blue = (round(float(value), _DIGITS) for value in values)
    return red, green, blue
