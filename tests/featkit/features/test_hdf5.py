import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.features._hdf5 import encode_text, read_text, writing

SCRIPT = """
import resource, sys
import h5py, numpy as np
from featkit.features._hdf5 import writing
for limit in (50, 2000, 5000, 60_000, 200_000, 400_000, 404_000, 420_000, 440_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        with writing(sys.argv[1]) as (file, check):
            data = file.create_dataset("x", (1000, 100), "f4", chunks=(50, 100), fletcher32=True)
            for row in range(0, 1000, 50):
                data[row : row + 50] = row
                check()
            for name in "abcdefgh":
                file.create_dataset(name, data=np.arange(600.0), chunks=True, fletcher32=True)
    except OSError as error:
        print(limit, error.errno)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
with h5py.File(sys.argv[1], "w") as file:
    file["after"] = 1
print("alive")
"""


def test_a_full_disk_at_any_moment_is_an_error_and_no_crash(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "f.h5")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.split("\n")
    assert lines[-2] == "alive"
    assert len(lines) == 11
    assert all(line.endswith(" 27") for line in lines[:9])


def test_what_is_written_is_plain_hdf5(tmp_path):
    with writing(tmp_path / "f.h5") as (file, check):
        file["x"] = np.arange(5)
        check()
    with h5py.File(tmp_path / "f.h5") as file:
        assert file["x"][...].tolist() == [0, 1, 2, 3, 4]


# Names of files need not be UTF-8; Python gives their bytes as lone surrogates.
FILE_NAMES = st.binary(max_size=6).map(lambda name: os.fsdecode(name.replace(b"\0", b"")))
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.one_of(TEXTS, FILE_NAMES)))
def test_any_text_comes_back(tmp_path_factory, texts):
    path = tmp_path_factory.getbasetemp() / "text.h5"
    with h5py.File(path, "w") as file:
        file["x"] = encode_text(texts)
        assert read_text(file["x"]).tolist() == texts


def test_text_of_free_length(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["x"] = ["ä", "", "longer"]
        assert read_text(file["x"]).tolist() == ["ä", "", "longer"]
    with pytest.raises(FileNotFoundError), writing(tmp_path / "no" / "f.h5"):
        pass
