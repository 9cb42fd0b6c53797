import errno
import json
import subprocess
import sys

import pytest

from featkit.errors import StoreError
from featkit.files import atomic_path, disk_errors, output_lock, write_json


def test_the_file_appears_whole_and_the_temporary_one_goes(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.ENOSPC, "disk or quota is full"),
        (errno.EFBIG, "disk or quota is full"),
        (errno.EROFS, "no permission"),
        (errno.EACCES, "no permission"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_system_errors_get_a_cause(tmp_path, number, cause):
    with pytest.raises(StoreError, match=cause), disk_errors(tmp_path / "x"):
        raise OSError(number, "Input/output error")


def test_hdf5_errors_are_known_by_the_number_in_their_message(tmp_path):
    with pytest.raises(StoreError, match="full"), disk_errors(tmp_path / "x"):
        raise OSError("Can't write data (file write failed: errno = 28, error message = 'Full')")


def test_a_full_disk_keeps_the_old_file(tmp_path):
    """A file-size limit stands for the full disk."""
    path = tmp_path / "out.json"
    path.write_text("[]")
    code = (
        "import resource, sys; from pathlib import Path; from featkit.files import write_json\n"
        "from featkit.errors import StoreError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_json(Path(sys.argv[1]), list(range(10000)))\n"
        "except StoreError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert "disk or quota is full" in done.stdout
    assert path.read_text() == "[]"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="a file stands where a folder is needed"):
        write_json(tmp_path / "file" / "out.json", [])


def test_two_processes_on_one_output(tmp_path):
    path = tmp_path / "out.h5"
    code = (
        "import sys; from pathlib import Path; from featkit.files import output_lock\n"
        "with output_lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.readline()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(StoreError, match="being written by another process"), output_lock(path):
        pass
    other.kill()  # a killed process holds nothing
    other.wait()
    with output_lock(path):
        pass


def test_json_is_readable(tmp_path):
    write_json(tmp_path / "x.json", {"name": "naïve", "values": [1.5]})
    assert json.loads((tmp_path / "x.json").read_text()) == {"name": "naïve", "values": [1.5]}
