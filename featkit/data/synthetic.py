"""The embedded sample: drawn lesions with HAM10000's classes, imbalance and repeated photographs.

Nothing here is a photograph of anybody. The sample shows how featkit works and lets tests run
without a download; its scores say nothing about real skin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from featkit.data._drawing import draw_photograph
from featkit.data._lesion import CLASSES, SHARES, class_lesion, generator
from featkit.data._patients import describe_patients
from featkit.data._sample_files import write_sample
from featkit.data.dataset import Dataset
from featkit.data.places import Place
from featkit.data.reader import ReaderOptions
from featkit.errors import UsageError

__all__ = ["SyntheticReader", "synthetic_dataset", "write_sample"]

_VERSION = 1
"""Raised whenever the same seed draws other pixels: feature files of the old ones then differ."""

_LEAST_LESIONS = 6
"""Lesions of each class, at least: enough for five folds."""

_MOST_PHOTOGRAPHS = 6
"""Photographs of one lesion, at most."""

_PHOTOGRAPHS = (1.43, 1.57, 1.51, 1.58, 1.81, 1.24, 1.45)
"""Mean number of photographs of a lesion of each class, as in HAM10000."""

_MOST_IMAGES = 1_000_000

_SIZES = (16, 2048)
"""Least and greatest side in pixels."""


@dataclass(frozen=True, eq=False)
class _DrawnImages:
    """Photographs drawn when they are read.

    Attributes:
        seed: The sample's seed.
        size: The side in pixels.
        label: Class index of each photograph, shape (N,).
        lesion: Number of the lesion that each shows, shape (N,).
        photograph: Number of each photograph in the whole sample, shape (N,).
    """

    seed: int
    size: int
    label: NDArray[np.int16]
    lesion: NDArray[np.intp]
    photograph: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.photograph)

    def read(self, row: int) -> Image.Image:
        """Return the photograph, RGB, size × size."""
        lesion = class_lesion(int(self.label[row]), self.seed, int(self.lesion[row]))
        return draw_photograph(lesion, self.size, self.seed, int(self.photograph[row]))

    def signature(self, row: int) -> str:
        """Return everything that the photograph's pixels depend on."""
        numbers = (self.seed, self.size, self.label[row], self.lesion[row], self.photograph[row])
        return f"synthetic-{_VERSION}:" + ":".join(str(number) for number in numbers)

    def select(self, rows: NDArray[np.intp]) -> _DrawnImages:
        """Return the source of these rows only, in this order."""
        return _DrawnImages(
            self.seed, self.size, self.label[rows], self.lesion[rows], self.photograph[rows]
        )


def synthetic_dataset(*, images: int = 2000, seed: int = 0, size: int = 96) -> Dataset:
    """Return a sample of drawn lesions, each photograph drawn when it is read.

    Classes, their shares, the number of photographs of a lesion and the metadata's distributions
    follow HAM10000 (Tschandl et al., Sci. Data 5, 180161, 2018). Every class has six lesions or
    more, for which the rare ones are enlarged in samples below about 500 images. A photograph
    depends on the seed, the class and its numbers alone, not on what was read before.

    Args:
        images: Number of photographs, 42 to 1,000,000. Samples of different length share no prefix.
        seed: Another seed draws other lesions.
        size: Side of the square photographs in pixels, 16 to 2048.

    Raises:
        UsageError: A number is out of its range.
    """
    least = _LEAST_LESIONS * len(CLASSES)
    _check("images", images, least, _MOST_IMAGES)
    _check("size", size, *_SIZES)
    rng = generator("sample", seed, images)
    label, lesion = _deal(images, rng)
    lesion_ids = np.array([f"SYNL{seed}_{number:07d}" for number in range(lesion.max() + 1)])
    patients = describe_patients(label[np.unique(lesion, return_index=True)[1]], rng)
    numbers = np.arange(images)
    return Dataset(
        name=f"synthetic:images={images},seed={seed},size={size}",
        images=_DrawnImages(seed, size, label, lesion, numbers),
        image_id=np.array([f"SYN{seed}_{number:07d}" for number in numbers]),
        label=label,
        group=lesion_ids[lesion],
        classes=CLASSES,
        metadata={name: column[lesion] for name, column in patients.items()},
    )


def _check(option: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise UsageError(
            f"synthetic: {option}={value} is out of range",
            cause=f"{option} lies between {low:,} and {high:,}",
            remedy=f"Choose {option} in that range",
        )


def _deal(images: int, rng: np.random.Generator) -> tuple[NDArray[np.int16], NDArray[np.intp]]:
    """Return each photograph's class and lesion number, in random order."""
    label, lesion, first = [], [], 0
    for index, count in enumerate(_images_of_classes(images)):
        lesions = min(count, max(_LEAST_LESIONS, round(count / _PHOTOGRAPHS[index])))
        # Further photographs go to lesions at random, each of which has a limited number of places.
        places = np.repeat(np.arange(lesions), _MOST_PHOTOGRAPHS - 1)
        further = rng.permutation(places)[: count - lesions]
        lesion.append(first + np.concatenate([np.arange(lesions), further]))
        label.append(np.full(count, index, dtype=np.int16))
        first += lesions
    order = rng.permutation(images)
    return np.concatenate(label)[order], np.concatenate(lesion)[order]


def _images_of_classes(images: int) -> list[int]:
    """Return the number of photographs of each class: HAM10000's shares, and enough for a fold."""
    counts = [max(_LEAST_LESIONS, int(share * images)) for share in SHARES]
    while (excess := sum(counts) - images) != 0:
        largest = int(np.argmax(counts))
        counts[largest] -= max(-1, min(1, excess))
    return counts


class SyntheticReader:
    """Reads `synthetic` and `synthetic:images=500,seed=1,size=96`."""

    kind = "synthetic"
    looks_for = "no path: drawn lesions, with options as in synthetic:images=500,seed=1,size=96"
    needs_path = False
    options: frozenset[str] = frozenset()

    def recognises(self, path: Place) -> bool:
        """Say no: the sample lies in no folder."""
        return False

    def read(self, target: str | Place, options: ReaderOptions) -> Dataset:
        """Return the sample.

        Args:
            target: Nothing, or `NAME=NUMBER` with commas between; see `synthetic_dataset`.
            options: None is understood.

        Raises:
            UsageError: An unknown name, a value that is no whole number, or one out of range.
        """
        return synthetic_dataset(**dict(_option(part) for part in str(target).split(",") if target))


def _option(text: str) -> tuple[str, int]:
    name, _, value = (part.strip() for part in text.partition("="))
    if name not in {"images", "seed", "size"} or not re.fullmatch("[0-9]{1,18}", value):
        raise UsageError(
            f"synthetic: {text!r} is not understood",
            cause="the options are images, seed and size, each a whole number of 18 digits at most",
            remedy="Write, for example, synthetic:images=500,seed=1",
        )
    return name, int(value)
