"""What was downloaded into a folder, written beside it: what is there need not come again."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pooch

from featkit.data.download.sets import Publication
from featkit.errors import DataError, UsageError
from featkit.files import write_json

__all__ = ["WORK", "Entry", "Ledger", "Shape", "shape_of"]

WORK = ".download"
"""Folder, in that of the data set, for the ledger and what is not yet whole; readers skip it."""

_SCHEMA = 1

_SYSTEMS_OWN = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", ".directory"})
"""What file managers leave in folders that someone has looked at; so are names with `._`."""


@dataclass(frozen=True)
class Shape:
    """What lies at a place, to tell whether it is still what was put there.

    Attributes:
        files: Number of files.
        bytes: Sum of their sizes.
        sha256: Of a single file, "" for a folder.
    """

    files: int
    bytes: int
    sha256: str = ""


@dataclass(frozen=True)
class Entry:
    """One file of an archive, as it came.

    Attributes:
        url: Where from.
        bytes: Its size.
        sha256: Of the file as it came.
        verified: What its content was compared with, as a phrase.
        place: Where it was put, below the folder.
        shape: What lies there.
        downloaded: Day, ISO 8601.
        checked: The data set passed its check with it: its SHA-256 binds later downloads.
        publication: The data set that it is of, "" = not written down.
    """

    url: str
    bytes: int
    sha256: str
    verified: str
    place: str
    shape: Shape
    downloaded: str = ""
    checked: bool = False
    publication: str = ""


class Ledger:
    """The entries of a folder, by the file's name in its archive.

    Args:
        folder: The data set's.

    Raises:
        UsageError: The folder holds something, and no ledger; or it is a file.
        DataError: The ledger can't be read.
    """

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise UsageError(
                f"{folder} is a file",
                cause="a data set is laid out in a folder",
                remedy="Give a new folder",
            )
        self._folder = folder
        self._path = folder / WORK / "ledger.json"
        self._entries = _read(self._path) if self._path.exists() else {}
        if not self._path.exists() and _holds_something(folder):
            raise UsageError(
                f"{folder} is not empty",
                cause="it holds files that were not downloaded by this command, and none of yours "
                "is to be written over",
                remedy="Give a new folder",
            )

    def require_room_for(self, publication: Publication) -> None:
        """Return if the folder is the data set's, or that of one that may lie beside it.

        Raises:
            UsageError: Another lies there.
        """
        may = {"", publication.name, *publication.beside}
        there = {entry.publication for entry in self._entries.values()}
        other = min(there - may, default="")
        if other:
            raise UsageError(
                f"{self._folder} holds {other}",
                cause=f"with {publication.name} in the same folder neither could be read",
                remedy=f"Give {publication.name} a folder of its own",
            )

    def has(self, name: str) -> bool:
        """Say whether a file was put in its place and is still there as it was.

        Raises:
            DataError: Something else is there now.
        """
        entry = self._entries.get(name)
        if entry is None or not (self._folder / entry.place).exists():
            return False
        if shape_of(self._folder / entry.place) != entry.shape:
            raise DataError(
                f"{self._folder / entry.place} is no longer what was downloaded",
                cause="files in it were changed, added or removed since",
                remedy="Move it away or delete it, and run again: it is then downloaded anew",
            )
        return True

    def fits(self, name: str, place: Path) -> bool:
        """Say whether what lies at a place is what was written down of a file."""
        entry = self._entries.get(name)
        return entry is not None and place.exists() and shape_of(place) == entry.shape

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def pinned(self, name: str) -> str:
        """Return `sha256:…` of a file that passed its check when it came before, "" = none."""
        entry = self._entries.get(name)
        return f"sha256:{entry.sha256}" if entry is not None and entry.checked else ""

    def put(self, name: str, entry: Entry) -> None:
        """Write down what came."""
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        self._entries[name] = replace(entry, downloaded=today)
        self._write()

    def confirm(self, names: Iterator[str]) -> None:
        """Write down that the data set passed its check with these files."""
        for name in names:
            self._entries[name] = replace(self._entries[name], checked=True)
        self._write()

    def _write(self) -> None:
        files = {name: asdict(entry) for name, entry in self._entries.items()}
        write_json(self._path, {"schema": _SCHEMA, "files": files})


def shape_of(place: Path) -> Shape:
    """Return what lies at a place, without what file managers add to folders."""
    if place.is_file():
        return Shape(1, place.stat().st_size, pooch.file_hash(str(place)))
    sizes = [
        path.stat().st_size
        for path in place.rglob("*")
        if path.is_file() and not _is_systems_own(path)
    ]
    return Shape(len(sizes), sum(sizes))


def _read(path: Path) -> dict[str, Entry]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["schema"] != _SCHEMA:
            raise ValueError(f"schema {values['schema']}")
        return {
            name: Entry(**{**entry, "shape": Shape(**entry["shape"])})
            for name, entry in values["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"cannot read {path}",
            cause=f"it is damaged, or another release wrote it ({error})",
            remedy="Give a new folder",
        ) from error


def _holds_something(folder: Path) -> bool:
    return folder.exists() and any(
        entry.name != WORK and not _is_systems_own(entry) for entry in folder.iterdir()
    )


def _is_systems_own(path: Path) -> bool:
    return path.name in _SYSTEMS_OWN or path.name.startswith("._")
