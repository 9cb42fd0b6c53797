"""Thumbnails of training cases, from a folder that the operator names and from nowhere else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path, PurePosixPath

from featkit.data import ImageError, decode_image
from featkit.errors import DataError

__all__ = ["Thumbnails"]

_SIDE = 192
_KEPT = 512
_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".gif"})


class Thumbnails:
    """Small pictures by image id.

    Args:
        folder: Where the images lie, however deep. An id is a file's name without its ending, or
            the end of its path where ids have folders in them.
        ids: The training cases' ids: no other picture is given, and none where several files have
            the name of a case, or several cases the name of a file.

    Raises:
        DataError: None of them is there.
    """

    def __init__(self, folder: Path, ids: Iterable[str]) -> None:
        names = [(_bare(PurePosixPath(name)), name) for name in dict.fromkeys(ids)]
        shared = Counter(bare for bare, _ in names)
        wanted = {bare: name for bare, name in names if shared[bare] == 1}
        found = _files(folder, wanted)
        self._paths = {name: paths[0] for name, paths in found.items() if len(paths) == 1}
        if not self._paths:
            several = "several files have the name of each training case that is there"
            raise DataError(
                f"{folder} has no thumbnails",
                cause=several if found else "no file has the name of a training case",
                remedy="Name a folder with one image of each training case, such as "
                f"{next(iter(wanted), 'CASE')}.jpg",
            )
        self.of = lru_cache(_KEPT)(self._of)

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._paths

    def __len__(self) -> int:
        return len(self._paths)

    def _of(self, image_id: str) -> bytes | None:
        """Return a JPEG, or None where there is none that can be read."""
        path = self._paths.get(image_id)
        if path is None:
            return None
        try:
            image = decode_image(path.read_bytes())
        except (ImageError, OSError):
            return None
        image.thumbnail((_SIDE, _SIDE))
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=85)
        return buffer.getvalue()


def _files(folder: Path, wanted: Mapping[str, str]) -> Mapping[str, list[Path]]:
    """Return the image files of each id, by the longest end of their paths that is one."""
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _ENDINGS or not path.is_file():
            continue
        parts = PurePosixPath(_bare(PurePosixPath(path.relative_to(folder).as_posix()))).parts
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        name = next((wanted[end] for end in ends if end in wanted), None)
        if name is not None:
            found[name].append(path)
    return found


def _bare(path: PurePosixPath) -> str:
    """Return a path without an image's ending; an id may have dots of its own."""
    return str(path.with_suffix("") if path.suffix.lower() in _ENDINGS else path)
