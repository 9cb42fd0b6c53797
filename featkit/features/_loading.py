"""Where images are decoded, as the preprocessing says."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from featkit.backbones.preprocessing import Preprocessing
from featkit.data.dataset import Dataset
from featkit.errors import UsageError
from featkit.features._batch import Loads
from featkit.features._device_loader import DeviceLoader
from featkit.features._loader import Allocate, Loader, pageable

__all__ = ["check_decoder", "loader_of"]


def check_decoder(preprocessing: Preprocessing, device: torch.device, *, views: int) -> None:
    """Refuse to decode where that cannot be done.

    Raises:
        UsageError: The device decodes no images, or it would have to make views of them.
    """
    if preprocessing.decoder == "cpu":
        return
    if device.type != "cuda":
        raise UsageError(
            f"--decoder {preprocessing.decoder}",
            cause=f"{device.type} is no NVIDIA GPU",
            remedy="Use --decoder cpu, or --device cuda where there is one",
        )
    if views > 1:
        raise UsageError(
            f"--decoder {preprocessing.decoder} with --views {views}",
            cause="the processor makes the views",
            remedy="Use --decoder cpu",
        )


def loader_of(
    dataset: Dataset,
    preprocessing: Preprocessing,
    *,
    views: int,
    workers: int,
    devices: Sequence[torch.device],
    allocate: Allocate = pageable,
) -> Loads:
    """Return what makes batches.

    Args:
        dataset: The images.
        preprocessing: How they become the network's input, and who decodes them.
        views: Number of views of each image; 1 where a GPU decodes.
        workers: Threads that decode, or read.
        devices: Where features are computed.
        allocate: Gives memory for pixels on the host.
    """
    if preprocessing.decoder == "gpu":
        return DeviceLoader(dataset, preprocessing, workers, tuple(devices))
    return Loader(dataset, preprocessing, views, workers, allocate)
