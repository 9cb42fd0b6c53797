"""Labelled images in HAM10000's layout: its own where they are at hand, else drawn ones."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.material.places import SHARED

__all__ = ["Labelled", "labelled_images"]

_DRAWN = 400


@dataclass(frozen=True)
class Labelled:
    """Images with labels.

    Attributes:
        spec: What featkit calls the data set.
        samples: Path and class of each image, in random order.
        classes: Number of classes.
        real: Whether they are photographs.
    """

    spec: str
    samples: list[tuple[str, int]]
    classes: int
    real: bool


def labelled_images(work: Path) -> Labelled:
    """Return labelled images.

    Args:
        work: A temporary folder for drawn ones.
    """
    folder = SHARED / "ham10000"
    real = folder.exists()
    if not real:
        from featkit.data import synthetic_dataset, write_sample

        folder = work / "sample"
        write_sample(synthetic_dataset(images=_DRAWN), folder)
    with (folder / "HAM10000_metadata.csv").open(newline="") as table:
        of_image = {row["image_id"]: row["dx"] for row in csv.DictReader(table)}
    names = sorted(set(of_image.values()))
    found = [
        (str(path), names.index(of_image[path.stem])) for path in sorted(folder.rglob("*.jpg"))
    ]
    order = np.random.default_rng(0).permutation(len(found))
    return Labelled(f"ham10000:{folder}", [found[row] for row in order], len(names), real)
