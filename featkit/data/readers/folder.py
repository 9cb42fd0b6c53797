"""A folder for each class, beneath train, val and test where the split is official."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from featkit.data.dataset import Dataset
from featkit.data.places import Place, as_place
from featkit.data.reader import ReaderOptions
from featkit.data.readers._columns import SPLITS, encode_labels, official_split, sorted_classes
from featkit.data.readers._files import (
    image_files,
    is_image_folder,
    placed_images,
    relative_path,
    subfolders,
    unlisted_files,
)
from featkit.errors import DataError

__all__ = ["FolderReader"]

_TABLES = (".csv", ".tsv", ".tab", ".npz")


class FolderReader:
    """Images in folders named after their class; every image is a group of its own."""

    kind = "folder"
    looks_for = (
        "a folder with two or more folders of images, one a class (or train, val, test holding "
        "such), and no table beside them"
    )
    needs_path = True
    options: frozenset[str] = frozenset()

    def recognises(self, path: Place) -> bool:
        """Say whether the path holds folders of images and no table that might explain them."""
        if path.is_file() or any(child.suffix.lower() in _TABLES for child in path.iterdir()):
            return False
        folders = subfolders(path)
        if any(is_image_folder(folder) for folder in folders):
            return False
        split = _is_split(folders)
        class_folders = [child for f in folders for child in subfolders(f)] if split else folders
        holding = [f for f in class_folders if next(image_files(f, deep=False), None)]
        return len(holding) > 1

    def read(self, target: str | Place, options: ReaderOptions) -> Dataset:
        """Return the Dataset; ids are paths relative to the folder.

        Raises:
            DataError: No folders, a class's folder without images, or parts of a split where
                classes should be.
        """
        root = as_place(target)
        folders = subfolders(root) if root.is_dir() else []
        if not folders:
            raise DataError(
                f"{root} holds no class folders",
                cause="every class needs a folder of its own",
                remedy="Give the folder above the class folders",
            )
        split = _is_split(folders)
        if not split:
            _check_classes(root, folders)
        above = folders if split else [root]
        class_folders = [c for f in folders for c in subfolders(f)] if split else folders
        found = [(f, path) for f in class_folders for path in image_files(f, deep=True)]
        _check_filled(class_folders, [folder for folder, _ in found])
        names = np.array([folder.name for folder, _ in found])
        parts = np.array([folder.parent.name for folder, _ in found])
        paths = [path for _, path in found]
        image_id = np.array([relative_path(path, root) for path in paths])
        classes = sorted_classes(names)
        return Dataset(
            name=f"{self.kind}:{root.resolve().name}",
            images=placed_images(paths, root),
            image_id=image_id,
            label=encode_labels(names, classes, image_id=image_id, where=root),
            group=image_id,
            classes=classes,
            split=official_split(parts, where=root) if split else None,
            unlisted=unlisted_files(
                (path for folder in above for path in image_files(folder, deep=False)), root=root
            ),
        )


def _check_classes(root: Place, folders: Sequence[Place]) -> None:
    """Refuse folders of which two or more are parts of a split, as these are no classes."""
    parts = [folder.name for folder in folders if folder.name.lower() in SPLITS]
    if len(parts) > 1:
        raise DataError(
            f"{root} holds {' and '.join(parts)}, which are parts of a split and no classes",
            cause="beside them lies another folder, or one of them holds no folder for each class",
            remedy="Leave only parts there that hold a folder for each class, "
            "or read a table of labels with csv:PATH",
        )


def _check_filled(class_folders: Sequence[Place], holding: Sequence[Place]) -> None:
    empty = sorted(set(class_folders) - set(holding))
    if empty:
        raise DataError(
            f"class folder {empty[0]} holds no images",
            cause="it is empty or its files have other endings",
            remedy="Fill the folder or remove it",
        )


def _is_split(folders: Sequence[Place]) -> bool:
    """Say whether the folders are parts of an official split rather than classes."""
    return bool(folders) and all(
        folder.name.lower() in SPLITS and subfolders(folder) for folder in folders
    )
