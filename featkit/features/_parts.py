"""Parts: finished pieces of an extraction beside its output, so that a crash costs little."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featkit.features._networks import Way
from featkit.files import atomic_path, write_json

__all__ = ["Manifest", "Part", "PartFolder"]


@dataclass(frozen=True)
class Manifest:
    """What the parts in a folder belong to.

    Attributes:
        attributes: As `job_attributes` returns them, with the precision chosen.
        runtime: What runs the network (see `Way`).
        faithfulness: What the way of computing was measured to do to the features.
        batch_size: Images in the network at once, to begin with.
        part_rows: Rows of each part (of the last one, at most).
        fresh: Begun with `fresh`, thus not meant to be satisfied by a finished file.
        job: A name that no other extraction has.
        shard_parts: Parts of each shard (of the last one, at most); None where the features come
            into the feature file itself.
    """

    attributes: dict[str, Any]
    runtime: str
    faithfulness: dict[str, Any] | None
    batch_size: int
    part_rows: int
    fresh: bool
    job: str
    shard_parts: int | None = None

    @property
    def way(self) -> Way:
        """How the features are computed."""
        return Way(str(self.attributes["precision"]), self.runtime)


@dataclass(frozen=True, eq=False)
class Part:
    """The results of n successive rows.

    Attributes:
        features: Shape (n, V, D), as stored; NaN where the row failed.
        image_hash: Shape (n,), "" where the row was not read.
        reason: Why the row failed, "" where it did not, shape (n,).
        spent: Wall seconds, seconds of these in the network, peak memory in bytes, and what the
            device worked in seconds (see `worked_seconds`); shape (4,).
    """

    features: NDArray[np.floating]
    image_hash: NDArray[np.str_]
    reason: NDArray[np.str_]
    spent: NDArray[np.float64]


@dataclass(frozen=True)
class PartFolder:
    """The folder of an unfinished extraction: a manifest and numbered parts.

    Attributes:
        path: The folder, `OUT.h5.parts`.
    """

    path: Path

    def manifest(self) -> Manifest | None:
        """Return what the parts belong to, or None where there are none to continue."""
        try:
            return Manifest(**json.loads((self.path / "manifest.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def begin(self, manifest: Manifest) -> None:
        """Start anew: remove old parts and write the manifest."""
        self.remove()
        write_json(self.path / "manifest.json", asdict(manifest))

    def write(self, index: int, part: Part) -> None:
        """Write a part, whole or not at all.

        Raises:
            StoreError: The disk is full, or the folder cannot be written.
        """
        content = io.BytesIO()
        np.savez(content, **{field.name: getattr(part, field.name) for field in fields(Part)})
        with atomic_path(self._file(index)) as temporary:
            temporary.write_bytes(content.getbuffer())

    def read(self, index: int, shape: tuple[int, int, int]) -> Part | None:
        """Return a part, or None where it is missing, damaged or not of this shape (n, V, D)."""
        try:
            with np.load(self._file(index), allow_pickle=False) as arrays:
                part = Part(**{field.name: arrays[field.name] for field in fields(Part)})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        columns = (part.image_hash, part.reason)
        fits = part.features.shape == shape and all(len(column) == shape[0] for column in columns)
        return part if fits else None

    def there(self) -> set[int]:
        """Return the numbers of the parts that have a file, by their names alone."""
        return {int(file.stem.removeprefix("part-")) for file in self.path.glob("part-*.npz")}

    def discard(self, parts: Iterable[int]) -> None:
        """Remove parts."""
        for index in parts:
            self._file(index).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove what this class wrote, and the folder where nothing else is in it."""
        # The manifest goes first: parts without one are never continued.
        for file in [*self._ours("manifest.json"), *self._ours("part-*.npz")]:
            file.unlink(missing_ok=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def _ours(self, pattern: str) -> Iterator[Path]:
        yield from list(self.path.glob(pattern))
        yield from list(self.path.glob(f".{pattern}.*.tmp"))

    def _file(self, index: int) -> Path:
        return self.path / f"part-{index:06d}.npz"
