"""Downloading a published data set: licence, transfer, unpacking, check."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pooch

from featkit.data.download._checking import PartCheck, check_part
from featkit.data.download._fetching import DownloadedFile, Fetcher
from featkit.data.download._ledger import WORK, Ledger
from featkit.data.download._web import Patience, Web
from featkit.data.download.catalogue import find_parts, find_publication
from featkit.data.download.licences import require_acceptance
from featkit.data.download.sets import Publication
from featkit.files import disk_errors, output_lock
from featkit.progress import NoProgress, Progress

__all__ = ["Download", "DownloadedFile", "download_dataset", "find_request"]


@dataclass(frozen=True)
class Download:
    """A data set that was downloaded.

    Attributes:
        publication: What it is.
        folder: Where it is.
        files: What it consists of.
        checks: Each part's.
        notes: What went otherwise than wished and does no harm, as sentences.
    """

    publication: Publication
    folder: Path
    files: tuple[DownloadedFile, ...]
    checks: tuple[PartCheck, ...]
    notes: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with it, as phrases; none where it is what was published."""
        return tuple(
            f"{check.part}: {problem}" for check in self.checks for problem in check.problems
        )

    def to_dict(self) -> dict[str, object]:
        """Return JSON-like values."""
        return {
            "name": self.publication.name,
            "folder": str(self.folder),
            "licence": self.publication.licence.to_dict(),
            "files": [dict(vars(file)) for file in self.files],
            "parts": [check.to_dict() for check in self.checks],
            "problems": list(self.problems),
            "notes": list(self.notes),
        }


def download_dataset(
    name: str,
    folder: str | Path,
    *,
    parts: Sequence[str] = (),
    accept_licence: bool = False,
    mirror: str = "",
    keep_archives: bool = False,
    workers: int | None = None,
    patience: Patience | None = None,
    progress: Progress | None = None,
) -> Download:
    """Download a data set, lay it out as its reader expects, and check it.

    What is there already, as it was put there, is not downloaded again; what an interrupted
    attempt left is continued.

    Args:
        name: One of `PUBLICATIONS`.
        folder: A new or empty folder, or one that an earlier call has filled.
        parts: Names of parts, or `all`; none for the first.
        accept_licence: Whether the user accepts its licence. Needed once: it is remembered.
        mirror: Address below which each archive's host is a folder, "" = the archives themselves.
        keep_archives: Keep the .zip files when they are unpacked.
        workers: Threads that check images.
        patience: With servers.
        progress: Who listens.

    Raises:
        UsageError: No such data set or part, a licence not accepted, or a folder of other things.
        DataError: A file can't be had, is not what was published, or doesn't unpack.
        StoreError: The disk is full or can't be written.
    """
    publication = find_request(name, folder, parts=parts, mirror=mirror)
    wanted = find_parts(publication, tuple(parts))
    folder = Path(folder)
    note = require_acceptance(publication, accept_licence)
    listener = progress or NoProgress()
    web = Web(mirror, patience or Patience(), progress=listener)
    work = folder / WORK
    with disk_errors(work):
        work.mkdir(parents=True, exist_ok=True)
    with output_lock(work / "ledger"), _quiet_pooch():
        ledger = Ledger(folder)  # as it is now that no one else writes it
        ledger.require_room_for(publication)
        fetcher = Fetcher(folder, ledger, web, listener, keep_archives)
        files = fetcher.fetch(publication, [file for part in wanted for file in part.files])
        checks = tuple(
            check_part(part, folder, workers=workers, progress=listener) for part in wanted
        )
        sound = [p for p, check in zip(wanted, checks, strict=True) if not check.problems]
        ledger.confirm(file.name for part in sound for file in part.files)
    return Download(publication, folder, files, checks, (note,) if note else ())


def find_request(
    name: str, folder: str | Path, *, parts: Sequence[str] = (), mirror: str = ""
) -> Publication:
    """Return the data set of a request that can be met, so far as that is seen from here.

    Nothing is asked for and nothing written.

    Args:
        name: One of `PUBLICATIONS`.
        folder: A new or empty folder, or one that an earlier call has filled.
        parts: Names of parts, or `all`; none for the first.
        mirror: Address below which each archive's host is a folder, "" = the archives themselves.

    Raises:
        UsageError: No such data set or part, no address of a mirror, or a folder of other things
            or of another data set.
        DataError: What is known of the folder can't be read.
    """
    publication = find_publication(name)
    find_parts(publication, tuple(parts))
    Web(mirror)
    Ledger(Path(folder)).require_room_for(publication)
    return publication


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Keep pooch from telling what the progress tells."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
