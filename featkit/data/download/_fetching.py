"""Bringing the files of a data set: room, transfer, comparison, unpacking, ledger."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pooch

from featkit.data.download._archives import Found, find_files
from featkit.data.download._ledger import WORK, Entry, Ledger, shape_of
from featkit.data.download._pairs import rewrite_pairs
from featkit.data.download._resuming import ResumingDownloader
from featkit.data.download._unpacking import Bounds, unpack
from featkit.data.download._web import RefusedError, Web, refused
from featkit.data.download.sets import ArchiveFile, Publication
from featkit.errors import DataError, StoreError
from featkit.files import disk_errors
from featkit.progress import Progress

__all__ = ["DownloadedFile", "Fetcher"]

_SPARE_BYTES = 50_000_000
"""Left free on the disk."""

_BLOCK = 1 << 20

_ROUNDED_BYTES = 10_000_000
"""What a file may have more than twice its published size, which is rounded and may be old."""


@dataclass(frozen=True)
class DownloadedFile:
    """One file of an archive that is in its place.

    Attributes:
        name: In the archive.
        place: Below the folder.
        bytes: Of the file as it came.
        sha256: Of the file as it came.
        verified: What its content was compared with, as a phrase.
        fresh: It came now, not before.
        renewed: The archive publishes another checksum than the one that featkit knows.
    """

    name: str
    place: str
    bytes: int
    sha256: str
    verified: str
    fresh: bool
    renewed: bool = False


@dataclass(frozen=True)
class Fetcher:
    """Brings files into a folder.

    Attributes:
        folder: Where to.
        ledger: What is there.
        web: The way to the archives.
        progress: Who listens.
        keep_archives: Whether .zip files stay.
    """

    folder: Path
    ledger: Ledger
    web: Web
    progress: Progress
    keep_archives: bool

    def fetch(
        self, publication: Publication, files: Sequence[ArchiveFile]
    ) -> tuple[DownloadedFile, ...]:
        """Bring those that are not there, and return all."""
        absent = [file for file in files if not self._is_there(file)]
        found = find_files(publication, absent, self.web) if absent else []
        self._check_places(absent)
        self._check_space(found)
        for each in found:
            self._bring(publication, each)
        renewed = {each.file.name for each in found if each.renewed}
        fresh = {file.name for file in absent}
        return tuple(
            _downloaded(file.name, self.ledger[file.name], file.name in fresh, file.name in renewed)
            for file in files
        )

    def _is_there(self, file: ArchiveFile) -> bool:
        """Say whether a file is in its place, or is now: an attempt was interrupted just before."""
        if self.ledger.has(file.name):
            return True
        if (self.folder / file.place).exists() or not self.ledger.fits(
            file.name, self._staged(file)
        ):
            return False
        self._place(file)
        return True

    def _check_places(self, files: Sequence[ArchiveFile]) -> None:
        for file in files:
            place = self.folder / file.place
            if place.exists():
                raise DataError(
                    f"{place} is in the way",
                    cause="it was not put there by this command",
                    remedy="Move it away, or give a new folder",
                )

    def _check_space(self, found: Sequence[Found]) -> None:
        """Refuse to begin what can't end: all that is unpacked, and the largest archive beside."""
        sizes = [(_size(each), each.file.packed) for each in found]
        packed = [size for size, is_packed in sizes if is_packed]
        archives = sum(packed) if self.keep_archives else max(packed, default=0)
        needed = sum(size for size, _ in sizes) + archives - self._already()
        free = shutil.disk_usage(self.folder).free
        if needed + _SPARE_BYTES > free:
            raise StoreError(
                f"cannot download into {self.folder}",
                cause=f"it takes about {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free",
                remedy="Free some space, or choose another folder",
            )

    def _already(self) -> int:
        return sum(path.stat().st_size for path in self._work.rglob("*") if path.is_file())

    @property
    def _work(self) -> Path:
        return self.folder / WORK

    def _staged(self, file: ArchiveFile) -> Path:
        """Where a file's content lies when it is whole and not yet in its place."""
        made = file.packed or file.pairs
        return self._work / "whole" / file.place if made else self._work / file.name

    def _bring(self, publication: Publication, found: Found) -> None:
        """Download a file, compare it, write that down and put it in its place.

        In this order, and the last in one step: whenever it is interrupted, what lies in the place
        is known.
        """
        url, path, md5 = self._transfer(found)
        sha256, own_md5 = _digests(path, self.progress)
        if not found.checksum and md5 and md5 != own_md5:
            path.unlink()
            raise _spoiled(found.file.name, "its MD5 is not the one that the server's ETag tells")
        verified = self._verified(found, md5)
        size = path.stat().st_size
        staged = self._staged(found.file)
        try:
            self._stage(found.file, path, staged, sha256)
        except DataError:
            path.unlink(missing_ok=True)
            raise
        shape, place = shape_of(staged), found.file.place
        entry = Entry(url, size, sha256, verified, place, shape, publication=publication.name)
        self.ledger.put(found.file.name, entry)
        self._place(found.file)

    def _place(self, file: ArchiveFile) -> None:
        """Give what is whole and written down its place."""
        place = self.folder / file.place
        with disk_errors(place):
            staged, came = self._staged(file), self._work / file.name
            if came != staged and not self.keep_archives:
                came.unlink(missing_ok=True)
            place.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(place)

    def _transfer(self, found: Found) -> tuple[str, Path, str]:
        """Return the address that had the file, where it is now, and the MD5 that S3 tells ("").

        A content that is not what was published is asked for once more: a server that changed the
        file meanwhile, or a proxy, may have spoiled it.
        """
        name, refusals = found.file.name, []
        known = found.checksum or self.ledger.pinned(name) or None
        for url in found.urls:
            downloader = ResumingDownloader(
                self._work / f"{name}.part",
                self.web,
                found.size,
                found.file.size,
                self.progress,
                most=_most(found.file),
                compared=known is not None,
            )
            try:
                return url, _retrieved(url, known, self._work / name, downloader), downloader.md5
            except RefusedError as error:
                refusals.append(str(error))
        raise refused(name, "; ".join(refusals))

    def _verified(self, found: Found, md5: str) -> str:
        """Return what the content was compared with."""
        if found.checksum:
            return f"{found.checksum.partition(':')[0].upper()} published by the archive"
        if self.ledger.pinned(found.file.name):
            return "SHA-256 of an earlier download that passed its check"
        if md5:
            return "MD5 in the server's ETag; no other checksum is published"
        return "no checksum is published; its SHA-256 is written down for the next time"

    def _stage(self, file: ArchiveFile, path: Path, staged: Path, sha256: str) -> None:
        """Turn a file as it came into what the reader expects in its place."""
        if staged == path:
            return
        with disk_errors(staged):
            _remove(staged)
            staged.parent.mkdir(parents=True, exist_ok=True)
        if file.packed:
            bounds = Bounds(file.most_files, file.most_bytes)
            scratch = self._work / f"{file.name}.{sha256[:12]}.unpacking"
            unpack(path, staged, scratch=scratch, bounds=bounds, progress=self.progress)
        else:
            rewrite_pairs(path, staged)


def _retrieved(url: str, known: str | None, path: Path, downloader: ResumingDownloader) -> Path:
    """Return the path of the file, downloaded by pooch unless it is there and whole."""
    for last in (False, True):
        try:
            found = pooch.retrieve(url, known, path.name, path.parent, downloader=downloader)
            return Path(found)
        except ValueError as error:
            downloader.forget()
            if last:
                raise _spoiled(path.name, str(error).partition(" Deleted")[0]) from error
    raise AssertionError


def _digests(path: Path, progress: Progress) -> tuple[str, str]:
    """Return a file's SHA-256 and MD5."""
    digests = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    progress.start(f"compare {path.name}", total=path.stat().st_size / 1e6, unit="MB")
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            for digest in digests:
                digest.update(block)
            progress.advance(len(block) / 1e6)
    progress.finish()
    return digests[0].hexdigest(), digests[1].hexdigest()


def _spoiled(name: str, cause: str) -> DataError:
    return DataError(
        f"{name} is not what its archive publishes",
        cause=cause.rstrip("."),
        remedy="It was deleted. Run again later, or without the mirror; if it stays so, the "
        "archive has another version, or somebody changed the file on its way",
    )


def _most(file: ArchiveFile) -> int:
    """Return the bytes that a file may have at most: its publisher's size is rounded, or none."""
    return 2 * file.size + _ROUNDED_BYTES if file.size else file.most_bytes


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _size(found: Found) -> int:
    return found.size or found.file.size or 0


def _downloaded(name: str, entry: Entry, fresh: bool, renewed: bool) -> DownloadedFile:
    return DownloadedFile(
        name, entry.place, entry.bytes, entry.sha256, entry.verified, fresh, renewed
    )
