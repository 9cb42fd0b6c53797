"""Unpacking an archive of which nothing is believed: names, sizes and contents are checked."""

from __future__ import annotations

import re
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from featkit.errors import DataError, StoreError
from featkit.files import disk_errors
from featkit.progress import Progress

__all__ = ["Bounds", "unpack"]

_CHUNK = 1 << 20

_BOMB_RATIO, _BOMB_BYTES = 200, 10_000_000
"""A member larger than the second and packed by more than the first is no image or table."""

_JUNK = "__MACOSX"

_PACKINGS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})

_KINDS = frozenset({0, stat.S_IFREG, stat.S_IFDIR})
"""Types of file that an archive may hold; 0 = it does not say."""


@dataclass(frozen=True)
class Bounds:
    """What an archive may hold at most.

    Attributes:
        files: Number of files.
        bytes: Sum of their sizes, unpacked.
    """

    files: int
    bytes: int


def unpack(
    archive: Path, target: Path, *, scratch: Path, bounds: Bounds, progress: Progress
) -> None:
    """Unpack a .zip into a new folder, which appears under its name when it is whole.

    A single folder that holds all else in the archive is left out. Members that an interrupted
    attempt has written to the same `scratch` are not written again.

    Args:
        archive: The .zip file.
        target: The folder; it must not exist.
        scratch: Where the work in progress lies, on the same disk.
        bounds: What it may hold.
        progress: Who listens.

    Raises:
        DataError: It is damaged, or holds what it must not.
        StoreError: The disk is full.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _audited(archive, opened.infolist(), bounds)
            _check_loose(archive, members, target.name)
            _check_space(target, scratch, members)
            with disk_errors(target, kept="the archive is kept"):
                _write(opened, members, scratch, progress)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise _unfit(archive, f"it is damaged ({error})") from error
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _content(scratch, target.name).replace(target)
        shutil.rmtree(scratch, ignore_errors=True)


def _audited(
    archive: Path, members: Sequence[zipfile.ZipInfo], bounds: Bounds
) -> list[zipfile.ZipInfo]:
    """Return the files to be written, all checked before the first is."""
    kept = [each for each in members if PurePosixPath(each.filename).parts[:1] != (_JUNK,)]
    for member in kept:
        why = _forbidden(member)
        if why:
            raise _unfit(archive, f"its member {member.filename[:100]!r} {why}")
    files = [member for member in kept if not member.is_dir()]
    _check_names(archive, kept)
    total = sum(member.file_size for member in files)
    if len(files) > bounds.files or total > bounds.bytes:
        raise _unfit(
            archive,
            f"it holds {len(files):,} files of {total:,} bytes, where at most {bounds.files:,} of "
            f"{bounds.bytes:,} are expected",
        )
    if sum(member.compress_size for member in members) > archive.stat().st_size:
        raise _unfit(archive, "its members overlap")
    if not files:
        raise _unfit(archive, "it holds no files")
    return files


def _forbidden(member: zipfile.ZipInfo) -> str:
    """Return what is wrong with a member, "" = nothing."""
    name, kind = member.orig_filename, stat.S_IFMT(member.external_attr >> 16)
    rules = (
        (name.startswith(("/", "\\")), "has an absolute path"),
        (bool(re.match(r"[A-Za-z]:", name)), "has a drive letter"),
        ("\\" in name, "has a backslash in its name"),
        (".." in name.split("/"), "leads out of the folder"),
        (any(unicodedata.category(c) == "Cc" for c in name), "has a control character in its name"),
        (not name.strip("/. "), "has no name"),
        (kind not in _KINDS, "is a link or a special file"),
        (bool(member.flag_bits & 0x1), "is encrypted"),
        (member.compress_type not in _PACKINGS, "is packed in an unusual way"),
        (
            member.file_size > _BOMB_BYTES
            and member.file_size > _BOMB_RATIO * max(member.compress_size, 1),
            "is packed far more tightly than images or tables are",
        ),
    )
    return next((why for broken, why in rules if broken), "")


def _check_names(archive: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse two members of one name, and a file that is also a folder, on any file system."""
    files: set[str] = set()
    folders: set[str] = set()
    for member in members:
        path = _folded(member.filename)
        if not member.is_dir():
            if str(path) in files:
                raise _unfit(archive, f"it holds {member.filename[:100]!r} twice")
            files.add(str(path))
        folders.update(str(parent) for parent in path.parents)
    both = files & folders
    if both:
        raise _unfit(archive, f"{min(both)[:100]!r} is a file and a folder in it")


def _folded(name: str) -> PurePosixPath:
    """Return a name as a file system compares it that knows no capitals."""
    return PurePosixPath(unicodedata.normalize("NFC", name).casefold())


def _check_loose(archive: Path, members: Sequence[zipfile.ZipInfo], name: str) -> None:
    """Refuse files beside the only folder that would take the place of what is in it."""
    paths = [_folded(member.filename).parts for member in members]
    folders = {parts[0] for parts in paths if len(parts) > 1}
    inside = {parts[1] for parts in paths if len(parts) > 1}
    both = inside & {parts[0] for parts in paths if len(parts) == 1}
    if folders == {str(_folded(name))} and both:
        raise _unfit(archive, f"it holds {min(both)[:100]!r} both in its folder and beside it")


def _check_space(target: Path, scratch: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    there = sum(path.stat().st_size for path in _files(scratch))
    needed = sum(member.file_size for member in members) - there
    place = next(parent for parent in target.absolute().parents if parent.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise StoreError(
            f"cannot unpack into {target}",
            cause=f"it takes {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free",
            remedy="Free some space and run again: what was downloaded is kept",
        )


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _write(
    opened: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], scratch: Path, progress: Progress
) -> None:
    """Write each member under a passing name, and rename it when its checksum was right.

    The passing name lies beside the tree, where no member can have the same.
    """
    waiting = [each for each in members if not _written(scratch / each.filename, each)]
    progress.start(
        f"unpack {Path(opened.filename or '').name}",
        total=len(members),
        done=len(members) - len(waiting),
        unit="files",
    )
    passing = scratch.with_name(f"{scratch.name}.passing")
    try:
        for member in waiting:
            path = scratch / member.filename
            path.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(member) as source, passing.open("wb") as sink:
                shutil.copyfileobj(source, sink, _CHUNK)
            passing.replace(path)
            progress.advance(1)
    finally:
        passing.unlink(missing_ok=True)
        progress.finish()


def _written(path: Path, member: zipfile.ZipInfo) -> bool:
    return path.is_file() and path.stat().st_size == member.file_size


def _content(scratch: Path, name: str) -> Path:
    """Return the folder that holds everything: the only one in `scratch`, or that itself.

    Files beside a folder of the right name (a licence, say) are put into it.
    """
    folders = [entry for entry in scratch.iterdir() if entry.is_dir()]
    loose = [entry for entry in scratch.iterdir() if not entry.is_dir()]
    if len(folders) != 1 or (loose and folders[0].name != name):
        return scratch
    for entry in loose:
        entry.replace(folders[0] / entry.name)
    return folders[0]


def _unfit(archive: Path, cause: str) -> DataError:
    return DataError(
        f"{archive.name} is not unpacked",
        cause=cause,
        remedy="Run the same command again to download it anew; if it stays so, tell the archive",
    )
