"""MedMNIST's archives: arrays of small images with an official split.

Source: Yang et al., "MedMNIST v2", Sci. Data 10, 41 (2023).
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import BinaryIO

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from featkit.data.dataset import Dataset
from featkit.data.places import Place, as_place
from featkit.data.reader import ReaderOptions
from featkit.data.readers._columns import encode_labels, sorted_classes
from featkit.data.readers.ham10000 import HAM10000_CLASSES
from featkit.data.sources import ArrayImages
from featkit.errors import DataError

__all__ = ["MedmnistReader"]

_SPLITS = ("train", "val", "test")

_CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType({"dermamnist": HAM10000_CLASSES})
"""The archives do not name their classes; sets that share another one's classes are named here."""


class MedmnistReader:
    """An .npz file with images and labels of the parts train, val and test.

    The archives name no patients or lesions: every image is a group of its own.
    """

    kind = "medmnist"
    looks_for = "an .npz file with train_images, train_labels, val_images, ..."
    needs_path = True
    options: frozenset[str] = frozenset()

    def recognises(self, path: Place) -> bool:
        """Say whether the path is an archive with an array train_images."""
        if path.suffix.lower() != ".npz" or not path.is_file():
            return False
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                return False
            with zipfile.ZipFile(file) as archive:
                return "train_images.npy" in archive.namelist()

    def read(self, target: str | Place, options: ReaderOptions) -> Dataset:
        """Return the Dataset with its official split.

        Raises:
            DataError: Not such an archive, or several labels an image, or volumes.
        """
        path = as_place(target)
        arrays = _read(path)
        parts = [_part(arrays, split, path) for split in _SPLITS]
        if len({pixels.shape[1:] for pixels, _ in parts}) > 1:
            raise _wrong(path, "its parts hold images of different shapes")
        sizes = [len(numbers) for _, numbers in parts]
        digits = np.concatenate([numbers for _, numbers in parts]).astype(np.str_)
        split = np.repeat(_SPLITS, sizes)
        places = np.concatenate([np.arange(size) for size in sizes])
        image_id = np.array([f"{s}-{place:06d}" for s, place in zip(split, places, strict=True)])
        classes = _CLASSES.get(path.stem.partition("_")[0].lower())
        known = sorted_classes(digits) if classes is None else map(str, range(len(classes)))
        numbers = tuple(known)
        return Dataset(
            name=f"{self.kind}:{path.name}",
            images=ArrayImages(np.concatenate([pixels for pixels, _ in parts])),
            image_id=image_id,
            label=encode_labels(digits, numbers, image_id=image_id, where=path),
            group=image_id,
            classes=classes or numbers,
            split=split,
        )


def _read(path: Place) -> dict[str, NDArray[np.generic]]:
    names = [f"{split}_{what}" for split in _SPLITS for what in ("images", "labels")]
    try:
        with path.open("rb") as file, _archive(file, path) as archive:
            missing = [name for name in names if name not in archive]
            if missing:
                cause = f"it has no {', '.join(missing)}, only {', '.join(archive) or 'nothing'}"
                raise _wrong(path, cause)
            return {name: archive[name] for name in names}
    except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise _wrong(path, f"it is damaged ({error})") from None


def _archive(file: BinaryIO, path: Place) -> NpzFile:
    if not zipfile.is_zipfile(file):
        raise _wrong(path, "it is no .npz archive")
    file.seek(0)
    archive: NpzFile = np.load(file, allow_pickle=False)
    return archive


def _part(
    arrays: Mapping[str, NDArray[np.generic]], split: str, path: Place
) -> tuple[NDArray[np.uint8], NDArray[np.generic]]:
    """Return one split's pixels, (n, H, W) or (n, H, W, 3), and label numbers, (n,)."""
    pixels = _pixels(arrays[f"{split}_images"], path)
    labels = _labels(arrays[f"{split}_labels"], path)
    if len(pixels) != len(labels):
        raise _wrong(path, f"{split} has {len(pixels)} images and {len(labels)} labels")
    return pixels, labels


def _pixels(images: NDArray[np.generic], path: Place) -> NDArray[np.uint8]:
    grey, colour = images.ndim == 3, images.ndim == 4 and images.shape[3] == 3
    if images.dtype != np.uint8 or not (grey or colour):
        raise _wrong(
            path,
            f"its images are {images.dtype} of shape {images.shape}, where uint8 of shape "
            "(N, H, W) or (N, H, W, 3) is read (volumes are not)",
        )
    return images.astype(np.uint8, copy=False)


def _labels(labels: NDArray[np.generic], path: Place) -> NDArray[np.generic]:
    if labels.shape[1:] not in ((), (1,)):
        raise _wrong(path, f"every image has {labels.shape[1]} labels (a multi-label task)")
    return labels.reshape(len(labels))


def _wrong(path: Place, cause: str) -> DataError:
    return DataError(
        f"cannot read the MedMNIST archive {path}",
        cause=cause.rstrip("."),
        remedy="Give a two-dimensional, single-label MedMNIST file, or download it again",
    )
