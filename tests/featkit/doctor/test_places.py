"""Disks, write access, file systems, HDF5 and caches."""

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

import featkit.doctor._disk as disk
from featkit.doctor._disk import _mount

GIB = 1 << 30


def tiny(free, *, inodes=1000):
    block = 4096
    return lambda _: SimpleNamespace(
        f_bavail=free // block,
        f_blocks=250 * GIB // block,
        f_frsize=block,
        f_files=10_000,
        f_favail=inodes,
    )


@pytest.mark.parametrize(
    ("free", "verdict"), [(50 * GIB, "good"), (3 * GIB, "warn"), (GIB // 4, "bad")]
)
def test_little_space_is_told(look, monkeypatch, free, verdict):
    monkeypatch.setattr(os, "statvfs", tiny(free))
    found = look("disk")
    assert {each.verdict for each in found.values()} == {verdict}
    assert f"{free / GIB:.1f} of 250.0 GiB free" in found["disk for results"].value
    if verdict != "good":
        assert "--out" in found["disk for results"].remedy
        assert "TMPDIR" in found["disk for temporary files"].remedy


def test_a_disk_without_inodes_is_bad(look, monkeypatch):
    monkeypatch.setattr(os, "statvfs", tiny(50 * GIB, inodes=0))
    found = look("disk")["disk for results"]
    assert (found.verdict, "no inodes" in found.value) == ("bad", True)


def test_a_place_of_the_systems_own_has_no_room(look):
    found = look("disk", Path("/proc/results"))["disk for results"]
    assert (found.verdict, "GiB" in found.value) == ("bad", False)
    assert "--out" in found.remedy


def test_a_tmpdir_that_is_not_minded_is_told(look, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert "TMPDIR" not in look("disk")
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    found = look("disk")["TMPDIR"]
    assert (found.verdict, str(tmp_path / "none") in found.value) == ("warn", True)


def test_nothing_is_left_behind_where_writing_was_tried(look, tmp_path):
    found = look("write access", tmp_path / "deep" / "results")
    assert found["write access"].value == str(tmp_path)
    assert {found[name].verdict for name in ("write access", "HDF5")} == {"good"}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_bad(look):
    found = look("write access", Path("/proc/results"))
    assert found["write access"].verdict == "bad"
    assert "--out" in found["write access"].remedy


def test_a_file_in_the_way_is_bad(look, tmp_path):
    (tmp_path / "results").write_text("")
    found = look("write access", tmp_path / "results" / "deeper")
    assert "is a file, not a folder" in found["write access"].value


def test_locks_that_do_not_work_are_bad_for_hdf5_only(look, monkeypatch):
    import h5py

    def refuse(*_, **__):
        raise BlockingIOError(11, "unable to lock file, errno = 11, error message = 'Resource'")

    monkeypatch.setattr(h5py, "File", refuse)
    found = look("write access")
    assert found["write access"].verdict == "good"
    assert found["HDF5"].verdict == "bad"
    assert "HDF5_USE_FILE_LOCKING=FALSE" in found["HDF5"].remedy


def test_a_clock_that_differs_from_the_disks_is_a_warning(look, monkeypatch):
    import time

    now = time.time()
    monkeypatch.setattr(disk.time, "time", lambda: now - 3600)
    found = look("write access")["clock"]
    assert (found.verdict, "+3600 s" in found.value) == ("warn", True)


MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,relatime shared:1 - nfs4 server:/export/home rw,vers=4.2
31 30 8:2 / /home/me/my\\040disk rw - xfs /dev/sdb1 rw
32 22 0:50 / /dev/shm rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/home/me/results", "nfs4"),
        ("/home/me/my disk/results", "xfs"),
        ("/homework", "ext4"),
        ("/dev/shm", "tmpfs"),
    ],
)
def test_the_innermost_mount_says_the_kind(tmp_path, place, kind):
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS)
    assert _mount(Path(place), table)[0] == kind


@pytest.mark.parametrize(
    ("kind", "verdict"), [("nfs4", "warn"), ("lustre", "warn"), ("tmpfs", "warn"), ("ext4", "good")]
)
def test_network_disks_and_memory_are_warnings(look, monkeypatch, kind, verdict):
    monkeypatch.setattr(disk, "_mount", lambda _: (kind, "server:/export"))
    found = look("write access")["file system"]
    assert (found.verdict, kind in found.value) == (verdict, True)


def test_caches_are_measured_each_file_once(look, monkeypatch, tmp_path):
    import torch
    from huggingface_hub import constants

    hub = tmp_path / "hub"
    (hub / "blobs").mkdir(parents=True)
    (hub / "snapshots").mkdir()
    (hub / "blobs" / "weights").write_bytes(bytes(3_000_000))
    (hub / "snapshots" / "model").symlink_to(hub / "blobs" / "weights")
    os.link(hub / "blobs" / "weights", hub / "snapshots" / "again")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: "/proc/torch")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    found = look("caches")
    assert found["cache of the Hugging Face Hub"].value == f"{hub}, 3 MB"
    assert found["cache of torch.hub"].verdict == "warn"
    assert "TORCH_HOME" in found["cache of torch.hub"].remedy
    assert found["cache of featkit"].value == f"{tmp_path / 'none' / 'featkit'}, not made yet"
    assert found["Hugging Face Hub"].verdict == "warn"
