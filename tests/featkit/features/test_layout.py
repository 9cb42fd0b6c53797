import h5py
from hypothesis import example, given
from hypothesis import strategies as st

from featkit.features._layout import (
    chunk_rows,
    column_key,
    column_name,
    read_attributes,
    write_attributes,
)


@given(name=st.text(max_size=8))
@example(name="")
@example(name=".")
@example(name="%2F")
@example(name="a/b%00\0")
def test_any_column_name_comes_back(name):
    key = column_key(name)
    assert key not in {"", "."}
    assert "/" not in key
    assert column_name(key) == name


def test_ordinary_names_stay():
    assert column_key("dx_type (2018).csv") == "dx_type (2018).csv"


def test_attributes_come_back_however_long(tmp_path):
    attributes = {
        "schema": 1,
        "precision": "fp32",
        "classes": [f"class number {i}" for i in range(10_000)],
        "runtime": "torch",
        "faithfulness": None,
        "cost": {"wall_seconds": 1.5},
    }
    with h5py.File(tmp_path / "f.h5", "w", libver=("v110", "v110")) as file:
        write_attributes(file, attributes)
        found = read_attributes(file)
        del found["checksum"]
        assert found == attributes


def test_chunks_are_of_half_a_megabyte():
    assert chunk_rows(10_000, 2048 * 2) == 128
    assert chunk_rows(5, 100) == 5
    assert chunk_rows(5, 1 << 30) == 1
