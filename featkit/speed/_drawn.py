"""Drawn photographs in JPEG files of a usual size, for whoever has no data set at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from featkit.data import Dataset, FileImages, synthetic_dataset
from featkit.progress import Progress

__all__ = ["drawn_photographs"]

_COUNT = 24

_SIZE = (600, 450)
"""Width and height of HAM10000's originals, in pixels."""

_QUALITY = 100
"""JPEG's, at which the files are about as large, and as slow to decode, as those."""


def drawn_photographs(folder: Path, progress: Progress) -> Dataset:
    """Draw photographs into a folder, and return them as a data set.

    Args:
        folder: An empty one.
        progress: Told after each image.
    """
    width, height = _SIZE
    drawn = synthetic_dataset(size=width).select(np.arange(_COUNT))
    progress.start("drawing photographs", total=_COUNT, unit="images")
    paths = [folder / f"{name}.jpg" for name in drawn.image_id]
    for row, path in enumerate(paths):
        image = drawn.images.read(row).crop((0, 0, width, height))
        image.save(path, quality=_QUALITY, subsampling=0)
        progress.advance(1)
    progress.finish()
    return Dataset(
        name=f"drawn photographs, {width} × {height} px",
        images=FileImages(paths),
        image_id=drawn.image_id,
        label=np.full(_COUNT, -1, np.int16),
        group=drawn.image_id,
        classes=(),
    )
