"""Writing files so that nothing that existed is lost: whole or not at all, one writer at a time."""

from __future__ import annotations

import errno
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from featkit.errors import StoreError

__all__ = ["atomic_path", "cache_folder", "disk_errors", "jsonable", "output_lock", "write_json"]

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def disk_errors(path: Path, *, kept: str = "nothing that existed was changed") -> Iterator[None]:
    """Turn the operating system's refusals to write `path` into errors with a remedy.

    Args:
        path: The file or folder being written.
        kept: What is safe on disk, said in the message.

    Raises:
        StoreError: The disk is full, the folder is read-only, or the path is not a folder.
    """
    try:
        yield
    except OSError as error:
        # HDF5 reports the system's error number in its message only.
        found = re.search(r"errno = (\d+)", str(error))
        number = error.errno or (int(found.group(1)) if found else 0)
        if number in _FULL:
            cause, remedy = f"the disk or quota is full; {kept}", "Free some space and run again"
        elif number in _REFUSED:
            cause, remedy = "no permission to write there", "Choose another place with --out"
        elif number in {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}:
            cause = "a file stands where a folder is needed, or the reverse"
            remedy = "Choose another place with --out"
        else:
            cause, remedy = str(error), f"Check the disk; {kept}"
        raise StoreError(f"cannot write {path}", cause=cause, remedy=remedy) from error


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its name when the block ends well.

    The file is flushed to disk before it is renamed, so that after a crash `path` holds either
    what it held before or the whole new file.

    Raises:
        StoreError: The disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb") as handle:
                os.fsync(handle.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    with atomic_path(path) as temporary:
        text = json.dumps(jsonable(value), indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def jsonable(value: object) -> object:
    """Return JSON-like `value` with null where a number is not defined: JSON has no NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: jsonable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    return value


@contextmanager
def output_lock(path: Path) -> Iterator[None]:
    """Hold `path` for this process; the system lets go of it when the process dies.

    Raises:
        StoreError: Another process is writing there, or the folder cannot be written.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{path.name}.lock"))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise StoreError(
                f"{path} is being written by another process",
                cause="two commands were given the same output",
                remedy="Wait for the other one to end, or choose another --out",
            ) from None
    try:
        yield
    finally:
        lock.release()


def cache_folder() -> Path:
    """Return the folder for what can be made again; it need not exist yet."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "featkit"
