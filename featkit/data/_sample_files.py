"""The sample as files: JPEGs and a table, laid out as Kaggle lays out HAM10000."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

from featkit.data._lesion import CLASSES
from featkit.data.dataset import Dataset
from featkit.errors import StoreError, UsageError
from featkit.files import disk_errors
from featkit.progress import NoProgress, Progress

__all__ = ["write_sample"]

_QUALITY = 95


def write_sample(dataset: Dataset, folder: Path, *, progress: Progress | None = None) -> None:
    """Write a Dataset of HAM10000's classes so that `load_dataset(folder)` reads it.

    The folder appears when it is whole. JPEG changes pixels a little, so features of the files
    differ slightly from those of the Dataset itself.

    Args:
        dataset: The images, every one with a label.
        folder: A folder that is empty or does not exist yet.
        progress: Told after each image.

    Raises:
        StoreError: The folder holds something, or cannot be written.
        UsageError: The Dataset has other classes, or images without a label.
    """
    progress = progress or NoProgress()
    _check(dataset, folder)
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as work:
            whole = Path(work) / folder.name
            _write(dataset, whole, progress)
            whole.replace(folder)


def _check(dataset: Dataset, folder: Path) -> None:
    if dataset.classes != CLASSES or (dataset.label < 0).any():
        raise UsageError(
            f"{dataset.name} cannot be written as HAM10000",
            cause=f"every image needs one of the classes {', '.join(CLASSES)}",
            remedy="Write a synthetic data set",
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise StoreError(
            f"{folder} is not empty",
            cause="a sample is only written into a folder of its own",
            remedy="Choose another folder, or empty this one",
        )


def _write(dataset: Dataset, folder: Path, progress: Progress) -> None:
    parts = [folder / f"HAM10000_images_part_{number}" for number in (1, 2)]
    for part in parts:
        part.mkdir(parents=True)
    progress.start("writing", total=len(dataset), unit="images")
    for row, name in enumerate(dataset.image_id):
        part = parts[2 * row // len(dataset)]
        dataset.images.read(row).save(part / f"{name}.jpg", quality=_QUALITY)
        progress.advance(1)
    progress.finish()
    with (folder / "HAM10000_metadata.csv").open("w", newline="", encoding="utf-8") as handle:
        table = csv.writer(handle)
        table.writerow(["lesion_id", "image_id", "dx", *dataset.metadata])
        names = [dataset.classes[label] for label in dataset.label]
        columns = [dataset.group, dataset.image_id, names, *dataset.metadata.values()]
        table.writerows(zip(*columns, strict=True))
