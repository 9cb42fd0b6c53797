"""Which image files lie where: one listing a folder, no look at single files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from featkit.data.sources import FileImages
from featkit.errors import DataError

__all__ = [
    "by_name",
    "image_files",
    "image_folders",
    "is_image_folder",
    "match_files",
    "name_prefix",
    "subfolders",
    "unlisted_files",
]

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


def image_files(folder: Path, *, deep: bool) -> Iterator[str]:
    """Yield the paths of a folder's visible image files by name, then its subfolders' if `deep`."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if _is_image(entry.name))
    yield from (f"{folder}{os.sep}{name}" for name in names)
    for child in subfolders(folder) if deep else ():
        yield from image_files(child, deep=True)


def subfolders(folder: Path) -> list[Path]:
    """Return the folder's visible subfolders by name."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir())
    return [folder / name for name in names if not name.startswith((".", "__MACOSX"))]


def is_image_folder(folder: Path) -> bool:
    """Say whether a folder is called as archives of images are (`..._images_part_1`, `..._Input`).

    Masks lie beside them in folders called `..._segmentations...`.
    """
    name = folder.name.lower()
    return ("image" in name or "input" in name) and "segmentation" not in name


def image_folders(root: Path, *, beside: str = "") -> list[Path]:
    """Return the subfolders called as archives of images are, or the folder itself without any.

    Args:
        root: Where to look.
        beside: Name of a table. Folders that share its beginning (all before the last underscore)
            are its own; those of other tables are then left out. Without such folders its images
            may lie loose in `root`.
    """
    folders = [folder for folder in subfolders(root) if is_image_folder(folder)]
    own = [folder for folder in folders if folder.name.lower().startswith(name_prefix(beside))]
    loose = next(image_files(root, deep=False), None) is not None
    return own or ([] if loose else folders) or [root]


def name_prefix(name: str) -> str:
    """Return what the names of one part of a data set share: all before the last underscore."""
    return name.lower().rpartition("_")[0]


def by_name(paths: Iterable[str]) -> dict[str, str]:
    """Return paths by file name and by file name without ending; of several the first counts."""
    index: dict[str, str] = {}
    for path in paths:
        name = os.path.basename(path)  # noqa: PTH119
        index.setdefault(name, path)
        index.setdefault(os.path.splitext(name)[0], path)  # noqa: PTH122
    return index


def match_files(
    names: Sequence[str], folders: Sequence[Path], *, root: Path, table: str
) -> tuple[FileImages, tuple[str, ...]]:
    """Find the files of the images that a table names, anywhere below some folders.

    Args:
        names: File names, with or without ending.
        folders: Where to look.
        root: The data set's folder.
        table: What names the images, for the message.

    Returns:
        The images, and the files that the table does not name.

    Raises:
        DataError: None of the images is there.
    """
    files = [path for folder in folders for path in image_files(folder, deep=True)]
    index = by_name(files)
    paths = [index.get(name) for name in names]
    if not any(paths):
        raise DataError(
            f"none of the {len(names)} images of {table} is there ({names[0]}, ...)",
            cause="looked in " + ", ".join(str(folder) for folder in folders),
            remedy="Unpack the archives of images there",
        )
    return FileImages(paths), unlisted_files(files, paths, root=root)


def unlisted_files(
    files: Iterable[str], used: Iterable[str | None] = (), *, root: Path
) -> tuple[str, ...]:
    """Return the files that are not used, relative to the data set's folder."""
    known = set(used)
    return tuple(path.removeprefix(f"{root}{os.sep}") for path in files if path not in known)


def _is_image(name: str) -> bool:
    # macOS leaves ._NAME.jpg beside every file of an archive.
    return name.lower().endswith(_SUFFIXES) and not name.startswith(".")
