import pytest

from featkit.data import load_dataset
from featkit.errors import DataError


def test_reads_a_folder_for_each_class(tmp_path, put_images):
    put_images(tmp_path, ["b/2.png", "b/1.jpeg", "a/1.jpeg", "a/deep/3.TIFF", "loose.png"])
    data = load_dataset(tmp_path)
    assert data.name == f"folder:{tmp_path.name}"
    assert data.classes == ("a", "b")
    assert data.image_id.tolist() == ["a/1.jpeg", "a/deep/3.TIFF", "b/1.jpeg", "b/2.png"]
    assert data.label.tolist() == [0, 0, 1, 1]
    assert data.group.tolist() == data.image_id.tolist()
    assert data.split is None
    assert data.unlisted == ("loose.png",)


def test_number_classes_keep_their_numerical_order(tmp_path, put_images):
    put_images(tmp_path, ["10/a.png", "9/a.png"])
    assert load_dataset(tmp_path).classes == ("9", "10")


def test_reads_an_official_split(tmp_path, put_images):
    put_images(tmp_path, ["train/a/1.png", "train/b/1.png", "Valid/a/1.png", "test/b/2.png"])
    data = load_dataset(tmp_path)
    assert data.classes == ("a", "b")
    assert dict(zip(data.image_id.tolist(), data.split.tolist(), strict=True)) == {
        "train/a/1.png": "train",
        "train/b/1.png": "train",
        "Valid/a/1.png": "val",
        "test/b/2.png": "test",
    }


def test_classes_called_train_and_car_are_no_split(tmp_path, put_images):
    put_images(tmp_path, ["train/1.png", "car/1.png"])
    data = load_dataset(tmp_path)
    assert data.classes == ("car", "train")
    assert data.split is None


def test_an_empty_class_folder(tmp_path, put_images):
    put_images(tmp_path, ["a/1.png", "b/1.png"])
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "notes.txt").touch()
    with pytest.raises(DataError, match=r"class folder .*c holds no images"):
        load_dataset(tmp_path)


def test_no_class_folders(tmp_path, put_images):
    put_images(tmp_path, ["1.png"])
    with pytest.raises(DataError, match="holds no class folders"):
        load_dataset(f"folder:{tmp_path}")


def test_a_table_beside_the_folders_is_not_ignored(tmp_path, put_images):
    put_images(tmp_path, ["a/1.png", "b/1.png"])
    (tmp_path / "labels.csv").write_text("x\n")
    with pytest.raises(DataError, match="is no data set that is recognised"):
        load_dataset(tmp_path)
    assert len(load_dataset(f"folder:{tmp_path}")) == 2


@pytest.mark.parametrize(
    "names",
    [
        ["train/1.png", "test/1.png"],
        ["train/a/1.png", "train/b/1.png", "test/1.png"],
        ["train/a/1.png", "Val/a/1.png", "extra/a/1.png"],
    ],
)
def test_parts_of_a_split_are_no_classes(tmp_path, put_images, names):
    put_images(tmp_path, names)
    with pytest.raises(DataError, match=r"which are parts of a split and no classes"):
        load_dataset(f"folder:{tmp_path}")
