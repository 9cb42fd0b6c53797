"""A place in a remote store, with the part of pathlib's interface that readers use."""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import PurePosixPath
from typing import Literal, overload
from urllib.parse import urlsplit

from featkit.data.places._entry import Entry
from featkit.data.places._range_file import RangeFile
from featkit.data.places.store import entry_of, fetch, list_files

__all__ = ["RemotePath"]


class _Tree:
    """All that lies below one URL, listed once, when it is first asked for.

    Args:
        root: The URL, without a final slash.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Every file by its path relative to the root; the root itself, if a file, has ""."""
        return list_files(self.root)

    @property
    def known(self) -> dict[str, Entry]:
        """The entries where they were listed already, none otherwise."""
        found: dict[str, Entry] = vars(self).get("entries", {})
        return found

    @cached_property
    def folders(self) -> dict[str, _Folder]:
        """Every folder by its path relative to the root, which has ""."""
        found = {"": _Folder()} if self.entries.keys() - {""} else {}
        for path in self.entries:
            folder, _, name = path.rpartition("/")
            if name:
                _folder(found, folder).files.append(name)
        return found


@dataclass(frozen=True)
class _Folder:
    """Names in one folder."""

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


def _folder(found: dict[str, _Folder], path: str) -> _Folder:
    """Return the folder of a path, entered in those above it."""
    if path not in found:
        above, _, name = path.rpartition("/")
        _folder(found, above).folders.append(name)
        found[path] = _Folder()
    return found[path]


class RemotePath:
    """A folder or file by its URL. One recursive listing serves all that lies below.

    Args:
        url: The address, with or without a final slash.
    """

    def __init__(self, url: str, *, _tree: _Tree | None = None) -> None:
        self._url = url.rstrip("/")
        self._tree = _tree or _Tree(self._url)

    def __truediv__(self, path: str) -> RemotePath:
        below = posixpath.normpath(path).strip("/")
        if below == ".." or below.startswith("../"):
            return self.parent / below[3:]
        return RemotePath(f"{self._url}/{below}", _tree=self._tree) if below != "." else self

    def __str__(self) -> str:
        return self._url

    def __repr__(self) -> str:
        return f"RemotePath({self._url!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemotePath) and other._url == self._url

    def __lt__(self, other: RemotePath) -> bool:
        return self._url < other._url

    def __hash__(self) -> int:
        return hash(self._url)

    @property
    def name(self) -> str:
        """The last part of the path, or the server or bucket itself."""
        parts = urlsplit(self._url)
        path = parts.path if parts.scheme in {"http", "https"} else self._url.partition("://")[2]
        return path.rstrip("/").rpartition("/")[2] or parts.netloc

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """The name's ending with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> RemotePath:
        """The folder above; a bucket or server is its own."""
        scheme, _, path = self._url.partition("://")
        above = path.rpartition("/")[0]
        if not above:
            return self
        return RemotePath(f"{scheme}://{above}", _tree=None if self._is_root else self._tree)

    def resolve(self) -> RemotePath:
        """Return the path itself: a URL is absolute."""
        return self

    def exists(self) -> bool:
        """Say whether the store has such a file or folder."""
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        """Say whether it is a file."""
        return self._path in self._tree.entries

    def is_dir(self) -> bool:
        """Say whether any file lies below."""
        return self._path in self._tree.folders

    def iterdir(self) -> Iterator[RemotePath]:
        """Yield what lies in the folder."""
        yield from (self / name for name in (*self.subfolder_names(), *self.file_names()))

    def file_names(self) -> list[str]:
        """Return the names of the files in the folder."""
        return self._folder.files

    def subfolder_names(self) -> list[str]:
        """Return the names of the folders in the folder."""
        return self._folder.folders

    def entry(self) -> Entry:
        """Return what the store says of the file.

        Raises:
            FileNotFoundError: There is no such file.
            RemoteError: The store does not answer, or refuses.
        """
        return self._tree.known.get(self._path) or entry_of(self._url)

    def token(self, url: str) -> str:
        """Return the listing's token of a file below the root, "" where it has none."""
        entry = self._tree.entries.get(url[len(self._tree.root) + 1 :])
        return entry.token if entry else ""

    @overload
    def open(self, mode: Literal["rb"]) -> io.BufferedReader: ...

    @overload
    def open(
        self, mode: Literal["r"] = "r", *, encoding: str, newline: str | None = None
    ) -> io.TextIOWrapper: ...

    def open(
        self,
        mode: Literal["r", "rb"] = "r",
        *,
        encoding: str | None = None,
        newline: str | None = None,
    ) -> io.BufferedReader | io.TextIOWrapper:
        """Open the file for reading, fetched piece by piece.

        Raises:
            FileNotFoundError: There is no such file.
            RemoteError: It cannot be read; also raised by the file's methods.
        """
        raw = self._raw()
        if mode == "rb":
            return io.BufferedReader(raw)
        return io.TextIOWrapper(io.BufferedReader(raw), encoding=encoding, newline=newline)

    def _raw(self) -> io.RawIOBase:
        size = self.entry().size
        if size is not None:
            return RangeFile(partial(fetch, self._url), size)
        whole = fetch(self._url)
        return RangeFile(lambda start, end: whole[start:end], len(whole))

    @property
    def _is_root(self) -> bool:
        return self._url == self._tree.root

    @property
    def _path(self) -> str:
        """The path relative to the tree's root, "" for the root."""
        return self._url[len(self._tree.root) + 1 :]

    @property
    def _folder(self) -> _Folder:
        return self._tree.folders.get(self._path, _Folder())
