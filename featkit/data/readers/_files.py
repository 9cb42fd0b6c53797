"""Which image files lie where: one listing a folder, no look at single files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from featkit.data.places import Place, RemotePath
from featkit.data.sources import FileImages
from featkit.errors import DataError

__all__ = [
    "by_name",
    "image_files",
    "image_folders",
    "is_image_folder",
    "is_image_name",
    "match_files",
    "name_prefix",
    "placed_images",
    "relative_path",
    "shard_files",
    "subfolders",
    "tables",
    "unlisted_files",
]

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


_Place = TypeVar("_Place", Path, RemotePath, Place)


def image_files(folder: Place, *, deep: bool) -> Iterator[str]:
    """Yield the paths of a folder's visible image files by name, then its subfolders' if `deep`."""
    separator = _separator(folder)
    yield from (f"{folder}{separator}{name}" for name in _names(folder) if is_image_name(name))
    for child in subfolders(folder) if deep else ():
        yield from image_files(child, deep=True)


def subfolders(folder: _Place) -> list[_Place]:
    """Return the folder's visible subfolders by name."""
    names = _names(folder, folders=True)
    return [folder / name for name in names if not name.startswith((".", "__MACOSX"))]


def _names(folder: Place, *, folders: bool = False) -> list[str]:
    """Return the names of all that is in a folder, or of its folders only, in order."""
    if isinstance(folder, RemotePath):
        return sorted(folder.subfolder_names() if folders else folder.file_names())
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if not folders or entry.is_dir())


def _separator(place: Place) -> str:
    return "/" if isinstance(place, RemotePath) else os.sep


def tables(folder: Place) -> list[Place]:
    """Return the folder's CSV files by name."""
    return [folder / name for name in _names(folder) if name.endswith(".csv")]


def shard_files(folder: Place) -> list[Place]:
    """Return the folder's visible tar files by name."""
    return [folder / name for name in _names(folder) if re.fullmatch(r"[^.].*\.tar", name)]


def is_image_folder(folder: Place) -> bool:
    """Say whether a folder is called as archives of images are (`..._images_part_1`, `..._Input`).

    Masks lie beside them in folders called `..._segmentations...`.
    """
    name = folder.name.lower()
    return ("image" in name or "input" in name) and "segmentation" not in name


def image_folders(root: _Place, *, beside: str = "") -> list[_Place]:
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
    names: Sequence[str], folders: Sequence[Place], *, root: Place, table: str
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
    return placed_images(paths, root), unlisted_files(files, paths, root=root)


def placed_images(paths: Sequence[str | None], root: Place) -> FileImages:
    """Return the images in files below a folder, with what its listing says of them."""
    if not isinstance(root, RemotePath):
        return FileImages(paths)
    return FileImages(paths, tokens=[root.token(path or "") for path in paths])


def unlisted_files(
    files: Iterable[str], used: Iterable[str | None] = (), *, root: Place
) -> tuple[str, ...]:
    """Return the files that are not used, relative to the data set's folder."""
    known = set(used)
    prefix = f"{root}{_separator(root)}"
    return tuple(path.removeprefix(prefix) for path in files if path not in known)


def relative_path(path: str, root: Place) -> str:
    """Return a file's path relative to a folder, with slashes."""
    separator = _separator(root)
    return path.removeprefix(f"{root}{separator}").replace(separator, "/")


def is_image_name(name: str) -> bool:
    """Say whether a visible file is an image by its ending."""
    # macOS leaves ._NAME.jpg beside every file of an archive.
    return name.lower().endswith(_SUFFIXES) and not name.startswith(".")
