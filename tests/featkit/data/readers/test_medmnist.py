import numpy as np
import pytest

from featkit.data import load_dataset
from featkit.errors import DataError

SIZES = {"train": 5, "val": 2, "test": 3}


@pytest.fixture
def put_archive(tmp_path):
    def put(shape=(8, 8, 3), classes=3, name="bloodmnist.npz", **changed):
        rng = np.random.default_rng(0)
        arrays = {}
        for split, n in SIZES.items():
            arrays[f"{split}_images"] = rng.integers(0, 256, (n, *shape), dtype=np.uint8)
            arrays[f"{split}_labels"] = (np.arange(n) % classes).astype(np.uint8)[:, None]
        arrays |= changed
        np.savez_compressed(tmp_path / name, **{k: v for k, v in arrays.items() if v is not None})
        return tmp_path / name, arrays

    return put


@pytest.mark.parametrize("shape", [(8, 8, 3), (8, 8)])
def test_reads_images_with_their_official_split(put_archive, shape):
    path, arrays = put_archive(shape)
    data = load_dataset(path)
    assert data.name == "medmnist:bloodmnist.npz"
    assert data.classes == ("0", "1", "2")
    assert data.split.tolist() == ["train"] * 5 + ["val"] * 2 + ["test"] * 3
    assert data.label.tolist() == [0, 1, 2, 0, 1, 0, 1, 0, 1, 2]
    assert len(set(data.image_id)) == 10
    images = np.concatenate([arrays[f"{split}_images"] for split in SIZES])
    for row in range(10):
        expected = images[row] if len(shape) == 3 else np.repeat(images[row, :, :, None], 3, 2)
        np.testing.assert_array_equal(np.asarray(data.images.read(row)), expected)


@pytest.mark.parametrize("name", ["dermamnist.npz", "dermamnist_64.npz"])
def test_dermamnist_has_the_classes_of_ham10000(put_archive, name):
    path, _ = put_archive(name=name)
    assert load_dataset(path).classes == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train_labels": np.zeros((5, 14), np.uint8)}, r"14 labels \(a multi-label task\)"),
        ({"train_images": np.zeros((5, 8, 8, 8), np.uint8)}, "volumes are not"),
        ({"train_images": np.zeros((5, 8, 8), np.float32)}, "its images are float32"),
        ({"val_labels": None}, "it has no val_labels, only train_images"),
        ({"val_labels": np.zeros((3, 1), np.uint8)}, "val has 2 images and 3 labels"),
    ],
)
def test_archives_of_another_kind(put_archive, changed, message):
    path, _ = put_archive(**changed)
    with pytest.raises(DataError, match=message):
        load_dataset(path)


def test_an_archive_cut_short(put_archive):
    path, _ = put_archive()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"it is no \.npz archive"):
        load_dataset(f"medmnist:{path}")


def test_a_damaged_archive(put_archive):
    path, _ = put_archive()
    data = bytearray(path.read_bytes())
    data[300:400] = bytes(100)
    path.write_bytes(data)
    with pytest.raises(DataError, match="it is damaged"):
        load_dataset(f"medmnist:{path}")
