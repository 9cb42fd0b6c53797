"""Features of every image as it stands, turned and mirrored: kept in memory, for searching."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from featkit.errors import UsageError
from featkit.progress import NoProgress, Progress

if TYPE_CHECKING:
    from featkit.backbones.backbone import Backbone
    from featkit.data.dataset import Dataset

__all__ = ["TurnedFeatures", "turned_features"]


@dataclass(frozen=True, eq=False)
class TurnedFeatures:
    """What `turned_features` returns.

    Attributes:
        features: float32, shape (N, V, D), view 0 the plain image; zeros where it failed.
        reason: Why an image failed, "" where it did not, shape (N,).
    """

    features: NDArray[np.float32]
    reason: NDArray[np.str_]


def turned_features(
    dataset: Dataset,
    backbone: Backbone,
    *,
    device: str = "auto",
    workers: int | None = None,
    progress: Progress | None = None,
) -> TurnedFeatures:
    """Return the features of the images under the symmetries of the network's input.

    A square input has eight of them (four quarter turns, plain and mirrored), any other four (two
    half turns, plain and mirrored). Computed in fp32, nothing written.

    Args:
        dataset: N images.
        backbone: What makes features of them.
        device: `auto` (the fastest there is), `cpu`, `cuda`, `cuda:N` or `mps`.
        workers: Threads that decode; None for one for each core.
        progress: Who listens; nobody where it is None.

    Raises:
        UsageError: The device is not there, or the backbone's images are not decoded by the CPU.
        BackboneError: A single image does not fit into memory.
    """
    # torch is imported here, so that reading features needs none of it.
    import torch

    from featkit.features._forward import Forward, placed
    from featkit.features._loader import Loader
    from featkit.features._networks import Networks, Way
    from featkit.hardware.devices import available_cores, default_batch, resolve_device

    if backbone.preprocessing.decoder != "cpu":
        raise UsageError(
            f"a backbone whose images the {backbone.preprocessing.decoder} decodes",
            cause="they are turned on the processor",
            remedy="Load it without `decoder`",
        )
    progress = progress or NoProgress()
    place = resolve_device(device)
    images = default_batch(place)
    loader = Loader(dataset, backbone.preprocessing, views=1, workers=workers or available_cores())
    turns = _turns(*backbone.preprocessing.crop)
    features = np.zeros((len(dataset), len(turns), backbone.dimension), dtype=np.float32)
    reason: list[str] = []
    rows = range(len(dataset))
    wanted = (rows[start : start + images] for start in range(0, len(rows), images))
    forward = Forward(Networks(backbone, place), way=Way("fp32"), batch_size=images)
    progress.start(f"features of {backbone.spec}", total=len(rows), unit="images")
    try:
        with placed(backbone, place), closing(loader.batches(wanted)) as batches:
            for batch in batches:
                fine = np.array([not text for text in batch.reason])
                for view, (quarters, mirrored) in enumerate(turns):
                    pixels = _turned(batch.pixels[:, 0].numpy(), quarters, mirrored)
                    found = forward(torch.from_numpy(pixels))
                    features[batch.rows, view] = found * fine[:, None]
                reason += batch.reason
                progress.advance(len(batch.rows))
    finally:
        progress.finish()
    return TurnedFeatures(features, np.array(reason, dtype=np.str_))


def _turns(height: int, width: int) -> list[tuple[int, bool]]:
    quarters = range(4) if height == width else (0, 2)
    return [(turn, mirrored) for mirrored in (False, True) for turn in quarters]


def _turned(pixels: NDArray[np.uint8], quarters: int, mirrored: bool) -> NDArray[np.uint8]:
    """Return the pixels (B, H, W, 3) of mirrored, then turned images."""
    view = pixels[:, :, ::-1] if mirrored else pixels
    return np.ascontiguousarray(np.rot90(view, quarters, axes=(1, 2)))
