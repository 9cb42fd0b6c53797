"""A data set in one folder, whose file names say everything: `LESION_CLASS_NUMBER.jpg`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from featkit.data import Dataset, FileImages, ReaderOptions
from featkit.data.places import Place
from featkit.errors import DataError


class NamedFilesReader:
    """Reads `named:FOLDER`, with files such as `L0042_mel_1.jpg`."""

    kind = "named"
    looks_for = "a folder of images called LESION_CLASS_NUMBER.jpg"
    needs_path = True
    options: frozenset[str] = frozenset()  # it understands neither --image-column nor --lesions

    def recognises(self, path: Place) -> bool:
        """Say, by names alone, whether a path without KIND before it has this layout."""
        names = [each.stem for each in path.iterdir()] if path.is_dir() else []
        return bool(names) and all(name.count("_") == 2 for name in names)

    def read(self, target: str | Place, options: ReaderOptions) -> Dataset:
        """Return the Dataset; what `target` is has been checked to exist."""
        folder = Path(str(target))
        files = sorted(folder.glob("*.jpg"))
        if not files or any(file.stem.count("_") != 2 for file in files):
            raise DataError(
                f"cannot read {folder}",
                cause=f"it is not {self.looks_for}",
                remedy="Name every file after its lesion, its class and a number",
            )
        lesion, name, _ = np.array([file.stem.split("_") for file in files]).T
        classes, label = np.unique(name, return_inverse=True)
        return Dataset(
            name=f"{self.kind}:{folder.resolve().name}",  # no absolute path: it goes into files
            images=FileImages(files),
            image_id=np.array([file.stem for file in files]),
            label=label.astype(np.int16),
            group=lesion,  # what must not stand on both sides of a split
            classes=tuple(classes.tolist()),
        )
