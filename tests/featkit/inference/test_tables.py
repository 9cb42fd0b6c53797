"""Words of a command line to images, predictions to files."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from featkit.errors import DataError, UsageError
from featkit.inference import check_table, images_at, write_table


@pytest.fixture
def folder(tmp_path, pixels):
    for place, image in zip(["b.png", "a.jpg", "sub/c.png", "sub/note.txt"], pixels, strict=False):
        path = tmp_path / "images" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if place.endswith("txt"):
            path.write_text("no image")
        else:
            Image.fromarray(image).save(path)
    return tmp_path / "images"


def test_a_folder_however_deep(folder):
    assert images_at([str(folder)]).image_id.tolist() == ["a.jpg", "b.png", "sub/c.png"]


def test_files_in_the_order_given(folder):
    found = images_at([str(folder / "sub/c.png"), str(folder / "a.jpg")])
    assert found.image_id.tolist() == ["c.png", "a.jpg"]


def test_a_data_set():
    assert len(images_at(["synthetic:images=50,size=16"])) == 50


def test_a_table_of_images(folder):
    """A CSV names images, as the reader of labelled ones takes it."""
    (folder / "t.csv").write_text("image,label\nb.png,x\nsub/c.png,y\n")
    found = images_at([str(folder / "t.csv")])
    assert len(found) == 2
    np.testing.assert_array_equal(
        np.asarray(found.images.read(0)), np.asarray(Image.open(folder / "b.png"))
    )


def test_a_table_without_labels(folder):
    (folder / "t.csv").write_text("image\nsub/c.png\nb.png\n")
    assert len(images_at([str(folder / "t.csv")])) == 2


@pytest.mark.parametrize("words", [["a.jpg", "none.png"], ["none.png"]])
def test_a_file_that_is_not_there(words, folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(DataError, match=r"none\.png does not exist"):
        images_at(words)


def test_what_macos_leaves_and_folders_with_names_of_images(folder):
    (folder / "._a.jpg").write_bytes(b"resource fork")
    (folder / "d.jpg").mkdir()
    assert images_at([str(folder)]).image_id.tolist() == ["a.jpg", "b.png", "sub/c.png"]


def test_several_folders(folder):
    with pytest.raises(UsageError, match="only one may be given"):
        images_at([str(folder), str(folder / "sub")])


def test_nothing_given():
    with pytest.raises(UsageError, match="no image was given"):
        images_at([])


def read(path):
    if path.suffix == ".json":
        return pd.DataFrame(json.loads(path.read_text()))
    kind = pd.read_parquet if path.suffix == ".parquet" else pd.read_csv
    return (
        kind(path, keep_default_na=False, na_values={"confidence": [""]})
        if kind is pd.read_csv
        else kind(path)
    )


@pytest.mark.parametrize("ending", [".csv", ".json", ".parquet"])
def test_tables_say_what_predictions_say(ending, predictor_of, folder, tmp_path):
    (folder / "broken.png").write_bytes(b"no")
    found = predictor_of().predictions(images_at([str(folder)]))
    write_table(found, tmp_path / f"t{ending}")
    table = read(tmp_path / f"t{ending}")
    assert table["image_id"].tolist() == ["a.jpg", "b.png", "broken.png", "sub/c.png"]
    assert table["top"].tolist() == found.top.tolist()
    assert table["decision"].tolist() == found.decision.tolist()
    fine = ~found.failed
    numbers = table[list(found.classes)][fine].astype(float).to_numpy()
    np.testing.assert_allclose(numbers, found.probabilities[fine])
    assert table["failure"].tolist()[2] and not any(table["failure"][fine])


def test_a_table_of_nothing_has_its_columns(predictor_of, tmp_path):
    found = predictor_of().predictions([])
    write_table(found, tmp_path / "t.csv")
    columns = (tmp_path / "t.csv").read_text().strip().split(",")
    assert columns[:3] == ["image_id", "top", "decision"] and set(found.classes) < set(columns)


def test_kinds_of_tables(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"\.xlsx is no kind of table"):
        check_table(tmp_path / "t.xlsx")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'featkit\[parquet\]'"):
        check_table(tmp_path / "t.parquet")
