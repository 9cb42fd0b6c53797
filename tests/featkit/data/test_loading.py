import os
from pathlib import Path

import pytest

from featkit.data import CsvColumns, load_dataset
from featkit.data.readers import READERS
from featkit.errors import DataError, UsageError

KINDS = ("ham10000", "isic", "folder", "csv", "hmnist", "medmnist", "webdataset", "synthetic")


def test_every_kind_of_the_design_has_one_reader():
    assert READERS.own == KINDS
    assert tuple(READERS[kind].kind for kind in KINDS) == KINDS


def test_a_path_and_its_kind_give_the_same(ham10000):
    fingerprints = {
        load_dataset(spec).fingerprint
        for spec in (ham10000, str(ham10000), f"ham10000:{ham10000}", f"{ham10000}/")
    }
    assert len(fingerprints) == 1


@pytest.mark.parametrize("name", ["C:", "a:b", "folder:x", "study 1: images", "ham10000"])
def test_an_existing_path_is_a_path_whatever_its_name(ham10000, tmp_path, monkeypatch, name):
    ham10000.rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(load_dataset(name)) == 4
    assert len(load_dataset(f"ham10000:{name}")) == 4


def test_synthetic_is_a_word_and_as_path_a_folder(ham10000, tmp_path, monkeypatch):
    ham10000.rename(tmp_path / "synthetic")
    monkeypatch.chdir(tmp_path)
    assert load_dataset("synthetic:images=42").name.startswith("synthetic:")
    assert load_dataset("synthetic").name.startswith("synthetic:")
    assert load_dataset("./synthetic").name == "ham10000:synthetic"
    assert load_dataset(Path("synthetic")).name == "ham10000:synthetic"


def test_an_unknown_kind_lists_the_kinds():
    with pytest.raises(
        UsageError, match=r"unknown kind of data set 'ham': the kinds are ham10000, i"
    ):
        load_dataset("ham:/tmp")


@pytest.mark.parametrize("spec", ["nowhere", "ham10000:nowhere", "x:nowhere", "no/where:x"])
def test_a_missing_path(spec):
    with pytest.raises(DataError, match=r"where(:x)? does not exist"):
        load_dataset(spec)


@pytest.mark.parametrize("spec", ["isic", "isic:"])
def test_a_kind_without_its_path(spec):
    with pytest.raises(UsageError, match="isic needs a path: it reads a folder with a one-hot"):
        load_dataset(spec)


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="is empty"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "synthetic"])
def test_every_reader_says_what_an_empty_folder_lacks(tmp_path, kind):
    with pytest.raises(DataError) as caught:
        load_dataset(f"{kind}:{tmp_path}")
    assert str(tmp_path) in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["notes.txt", "a.png", "data.csv", "x.npz", "deep/deeper/a.png"])
def test_an_unknown_layout_lists_what_was_looked_for(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(b"?")
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path)
    for kind in KINDS[:-1]:
        assert f"{kind}: " in caught.value.cause
    assert "synthetic" not in caught.value.cause


def test_an_ambiguous_layout_lists_what_matched(ham10000, put_table):
    rows = [("image", "MEL", "NV"), ("ISIC_1", 1, 0)]
    put_table(ham10000 / "ISIC2018_Task3_Training_GroundTruth.csv", rows)
    with pytest.raises(DataError, match="could be several kinds of data set") as caught:
        load_dataset(ham10000)
    assert "ham10000: a folder" in caught.value.cause
    assert "isic: a folder" in caught.value.cause
    assert "folder: " not in caught.value.cause.replace("a folder: ", "")
    assert len(load_dataset(f"ham10000:{ham10000}")) == 4


def test_kaggles_folders_without_their_table_never_read_as_two_classes(ham10000):
    (ham10000 / "HAM10000_metadata.csv").unlink()
    with pytest.raises(DataError, match="holds no HAM10000 metadata"):
        load_dataset(ham10000)


def test_options_of_another_kind_are_refused(ham10000):
    with pytest.raises(UsageError, match="kind ham10000 take no columns: only csv does"):
        load_dataset(ham10000, columns=CsvColumns("image", "label"))
    with pytest.raises(UsageError, match="kind ham10000 take no lesions: only isic does"):
        load_dataset(ham10000, lesions=Path("x.csv"))


def test_images_are_listed_and_not_looked_at_one_by_one(tmp_path, put_table, monkeypatch):
    folder = tmp_path / "images"
    folder.mkdir()
    names = [f"{number:05d}" for number in range(300)]
    for name in names:
        (folder / f"{name}.jpg").touch()
    rows = [("lesion_id", "image_id", "dx"), *((n, n, "nv") for n in names)]
    put_table(tmp_path / "HAM10000_metadata.csv", rows)
    looked = []
    stat = os.stat

    def counting_stat(path, **options):
        looked.append(path)
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", counting_stat)
    assert len(load_dataset(tmp_path)) == 300
    assert 0 < len(looked) < 50
