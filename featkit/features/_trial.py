"""The trial: some images of a data set, as extraction makes them and as Pillow would."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch

from featkit.backbones.preprocessing import Preprocessing
from featkit.data.dataset import Dataset
from featkit.data.held import HeldImages
from featkit.data.sources import EncodedImages
from featkit.features._choosing import Trial
from featkit.features._loading import loader_of
from featkit.hardware.devices import available_cores, default_batch

__all__ = ["Sample", "sample_of", "trial_of"]

_SHARE = 64
"""One image in so many is tried, up to a batch."""

_LEAST = 4
"""With fewer images than this, there is no trial."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Images from all over a data set, held in memory, so that any process can try ways on them.

    Attributes:
        dataset: The images; none where the data set is small.
        work: Images, views included, that there are to compute in all.
    """

    dataset: Dataset
    work: int


def sample_of(
    dataset: Dataset, views: int, device: torch.device, *, images: int | None = None
) -> Sample:
    """Return images for a trial.

    Args:
        dataset: All images.
        views: Views of each image that are to be computed.
        device: Where they will be.
        images: How many there are to be in all; None for those of the data set.
    """
    work = len(dataset) if images is None else images
    count = min(default_batch(device), work // _SHARE)
    rows = np.linspace(0, len(dataset) - 1, count if count >= _LEAST else 0).astype(np.intp)
    some = replace(dataset, metadata={}, split=None, unlisted=()).select(rows)
    if isinstance(some.images, EncodedImages):
        some = replace(some, images=HeldImages.of(some.images))
    return Sample(some, work * views)


def trial_of(sample: Sample, preprocessing: Preprocessing, device: torch.device) -> Trial:
    """Return what ways are tried on: the sample's readable images.

    Args:
        sample: The images.
        preprocessing: How they become the network's input.
        device: Where they will be.
    """
    images = sample.dataset.images
    loader = loader_of(
        sample.dataset, preprocessing, views=1, workers=available_cores(), devices=(device,)
    )
    pixels, reference = [], []
    with closing(loader.batches([range(len(images))] if len(images) else [])) as batches:
        for batch in batches:
            fine = [row for row, reason in zip(batch.rows, batch.reason, strict=True) if not reason]
            pixels += [batch.pixels[row, 0] for row in fine]
            reference += [preprocessing.by_pillow(images.read(row)) for row in fine]
    if not pixels:
        nothing = torch.empty((0, *preprocessing.crop, 3), dtype=torch.uint8)
        return Trial(nothing, nothing, sample.work)
    # A GPU is timed with full batches.
    count = default_batch(device) if device.type == "cuda" else len(pixels)
    chosen = torch.arange(count) % len(pixels)
    return Trial(
        pixels=torch.stack(pixels)[chosen],
        reference=torch.from_numpy(np.stack(reference))[chosen],
        work=sample.work,
    )
