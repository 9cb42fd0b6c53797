"""Photographs: real ones repeated, or drawn ones where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

from benchmarks.material.places import SHARED

__all__ = ["drawn_images", "image_folder", "links"]

_FULL = SHARED / "fullres"
_DRAWN = 96
_SIZE = (600, 450)
_CLASSES = ("a", "b")


def image_folder(count: int, work: Path) -> Path:
    """Return a folder of `count` JPEG files of 600 x 450 px, links to fewer files.

    The files are read once before, so that every contender finds them in the system's cache.

    Args:
        count: How many.
        work: A temporary folder; the links of each count are made once in it.
    """
    folder = work / f"images-{count}"
    if not folder.exists():
        real = sorted(_FULL.glob("*.jpg")) if _FULL.exists() else []
        sources = real or drawn_images(work / "drawn", _SIZE, quality=98)
        for source in sources:
            source.read_bytes()
        links(sources, count, folder)
    return folder


def links(sources: Sequence[Path], count: int, folder: Path) -> None:
    """Fill a folder with `count` links to files, over and over again, each with its own path.

    They lie in two folders, which featkit and thingsvision take for classes.

    Args:
        sources: The files.
        count: Number of links.
        folder: A new folder.
    """
    for name in _CLASSES:
        (folder / name).mkdir(parents=True)
    half = (count + 1) // 2
    for number, source in enumerate(islice(cycle(map(Path.resolve, sources)), count)):
        (folder / _CLASSES[number >= half] / f"{number:07d}.jpg").symlink_to(source)


def drawn_images(folder: Path, size: tuple[int, int], *, quality: int = 90) -> list[Path]:
    """Return drawn photographs as JPEG files.

    Args:
        folder: Where they lie, and are made once.
        size: Width and height in pixels, the width at least the height.
        quality: JPEG's.
    """
    from featkit.data import synthetic_dataset

    if not folder.exists():
        folder.mkdir(parents=True)
        drawn = synthetic_dataset(images=_DRAWN, size=size[0])
        for row in range(len(drawn)):
            image = drawn.images.read(row).crop((0, 0, *size))
            image.save(folder / f"{row:03d}.jpg", quality=quality, subsampling=0)
    return sorted(folder.glob("*.jpg"))
