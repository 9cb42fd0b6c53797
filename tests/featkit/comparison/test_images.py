import pytest

from featkit.comparison.images import read_images
from featkit.errors import StoreError


def write(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "images.csv").write_text(text, encoding="utf-8")
    return folder


def test_metadata_are_the_columns_that_are_not_the_designs(tmp_path):
    folder = write(tmp_path / "a", "image_id,group,label,sex,age\nI1,L1,mel,male,40.0\n")
    assert read_images(folder) == {"I1": {"sex": "male", "age": "40.0"}}


def test_folders_complement_each_other_and_the_first_one_wins(tmp_path):
    first = write(tmp_path / "a", "image_id,sex\nI1,male\n")
    second = write(tmp_path / "b", "image_id,sex\nI1,female\nI2,female\n")
    found = read_images([first, tmp_path / "none", second])
    assert found == {"I1": {"sex": "male"}, "I2": {"sex": "female"}}


@pytest.mark.parametrize("content", [b"name,sex\nI1,male\n", b"image_id,sex\nI1,\xff\xfe\n"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "images.csv").write_bytes(content)
    with pytest.raises(StoreError, match=r"images\.csv: it is damaged or has no column image_id"):
        read_images(tmp_path)


def test_short_and_long_rows_lose_nothing(tmp_path):
    folder = write(tmp_path / "a", "image_id,sex\nI1\nI2,male,extra\n")
    assert read_images(folder) == {"I1": {"sex": ""}, "I2": {"sex": "male"}}
