"""Disks: space, kinds of file system, and whether results can be written as featkit writes them."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from featkit.doctor.finding import Finding, said

__all__ = ["nearest", "space", "writing"]

_GIB = 1 << 30

_SCARCE, _TOO_LITTLE = 5 * _GIB, 1 * _GIB
"""HAM10000's features take tens of MiB; the weights of one large network more than a GiB."""

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "afs", "9p"}
    | {"glusterfs", "fuse.glusterfs", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse"}
)

_SKEW_S = 5.0
"""A file's time may differ from the clock by so much; locks and `make` go by it."""


def nearest(path: Path) -> Path:
    """Return the folder, or the one around it that exists."""
    whole = path.expanduser().absolute()
    return next(each for each in (whole, *whole.parents) if each.exists())


def space(out: Path) -> Iterator[Finding]:
    """Look at the space and the number of files that are left where featkit writes."""
    for name, path in (("results", out), ("temporary files", Path(tempfile.gettempdir()))):
        place = nearest(path)
        yield _space(f"disk for {name}", place)
    wanted = os.environ.get("TMPDIR")
    if wanted and Path(wanted).absolute() != Path(tempfile.gettempdir()).absolute():
        value = f"{wanted} cannot be written; temporary files go to {tempfile.gettempdir()}"
        yield Finding("TMPDIR", value, "warn", "Make that folder, or set TMPDIR to another")


def _space(name: str, place: Path) -> Finding:
    found = os.statvfs(place)
    free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    if not total:
        value = f"{place} belongs to the system, and has no room for files"
        return Finding(name, value, "bad", "Choose another place with --out")
    value = f"{free / _GIB:,.1f} of {total / _GIB:,.1f} GiB free at {place}"
    remedy = "Free some space, or choose another place with --out"
    if name.endswith("temporary files"):
        remedy = "Free some space, or set TMPDIR to another folder"
    if found.f_files and not found.f_favail:
        return Finding(name, f"{value}, but no file can be added (no inodes)", "bad", remedy)
    if free < _SCARCE:
        return Finding(name, value, "bad" if free < _TOO_LITTLE else "warn", remedy)
    return Finding(name, value)


def writing(out: Path) -> Iterator[Finding]:
    """Write, rename, lock and read back files where results will go, HDF5 included."""
    place = nearest(out)
    other = "Choose another place with --out, or ask for permission"
    if not place.is_dir():
        yield Finding("write access", f"{place} is a file, not a folder", "bad", other)
        return
    try:
        with tempfile.TemporaryDirectory(dir=place, prefix=".featkit-doctor-") as work:
            skew = _write(Path(work))
            hdf5 = _hdf5(Path(work))
    except OSError as error:
        yield Finding("write access", f"{place}: {said(error)}", "bad", other)
        return
    yield Finding("write access", str(place))
    yield _file_system(place)
    if abs(skew) > _SKEW_S:
        value = f"files there are {skew:+.0f} s from this machine's time"
        yield Finding("clock", value, "warn", "Set the clock, or have it set (NTP)")
    yield hdf5


def _write(work: Path) -> float:
    """Write a file as results are written; return by how many seconds its time is wrong."""
    from filelock import FileLock

    content = os.urandom(1 << 16)
    with (work / "temporary").open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    (work / "temporary").replace(work / "whole")
    if (work / "whole").read_bytes() != content:
        raise OSError("what was written is not what is read back")
    with FileLock(work / "lock", timeout=5):
        return (work / "whole").stat().st_mtime - time.time()


def _hdf5(work: Path) -> Finding:
    variable = os.environ.get("HDF5_USE_FILE_LOCKING")
    try:
        import h5py
        import numpy as np

        rows = np.arange(2048, dtype=np.float16).reshape(64, 32)
        with h5py.File(work / "probe.h5", "w") as file:
            file.create_dataset("features", data=rows, chunks=(16, 32), fletcher32=True)
        with h5py.File(work / "probe.h5", "r") as file:
            same = bool((file["features"][:] == rows).all())
    except Exception as error:  # h5py raises what HDF5 says as errors of many kinds
        remedy = "Set HDF5_USE_FILE_LOCKING=FALSE where one process writes, or use a local disk"
        return Finding("HDF5", said(error), "bad", remedy)
    if not same:
        remedy = "Use another disk: feature files would be damaged there"
        return Finding("HDF5", "what was written is not what is read back", "bad", remedy)
    locking = "locks as usual" if variable is None else f"HDF5_USE_FILE_LOCKING={variable}"
    return Finding("HDF5", f"{h5py.version.hdf5_version} writes and reads there, {locking}")


def _file_system(place: Path) -> Finding:
    kind, source = _mount(place)
    if kind in _NETWORK:
        remedy = "Write to a local disk and copy, if writing turns out slow or locks fail"
        return Finding("file system", f"{kind} (from {source}), over the network", "warn", remedy)
    if kind in {"tmpfs", "ramfs"}:
        remedy = "Choose a folder on a disk with --out"
        return Finding("file system", f"{kind}: in memory, and gone at a restart", "warn", remedy)
    return Finding("file system", kind)


def _mount(place: Path, table: Path = Path("/proc/self/mountinfo")) -> tuple[str, str]:
    """Return the kind of file system that a folder is on, and what is mounted there."""
    try:
        lines = table.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return "unknown", "unknown"
    real, best = place.resolve(), (-1, "unknown", "unknown")
    for line in lines:
        words, _, more = line.partition(" - ")
        point = Path(words.split()[4].replace("\\040", " "))
        kind, source = more.split()[:2]
        if real.is_relative_to(point) and len(point.parts) >= best[0]:
            best = (len(point.parts), kind, source)
    return best[1], best[2]
