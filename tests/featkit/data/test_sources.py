import pickle
import threading
import zlib

import numpy as np
import pytest

from featkit.data import (
    ArrayImages,
    Dataset,
    EncodedImages,
    FileImages,
    ImageError,
    check_dataset,
    dataset,
    load_dataset,
)


def test_file_images(tmp_path, put_images):
    put_images(tmp_path, ["a.png", "b.png"])
    images = FileImages([tmp_path / "a.png", str(tmp_path / "b.png"), None])
    assert len(images) == 3
    assert [images.read(row).size for row in (0, 1)] == [(8, 6), (9, 6)]
    content = (tmp_path / "a.png").read_bytes()
    assert images.signature(0) == f"{len(content)}-{zlib.crc32(content):08x}"
    assert images.signature(2) == ""


@pytest.mark.parametrize("name", [None, "gone.png"])
def test_a_missing_file(tmp_path, name):
    images = FileImages([name and tmp_path / name])
    with pytest.raises(ImageError, match=r"^file not found$"):
        images.read(0)
    assert images.signature(0) == ""


def test_a_path_that_is_no_file(tmp_path):
    with pytest.raises(ImageError, match=r"cannot be opened \(Is a directory\)"):
        FileImages([tmp_path]).read(0)


class Waiting(EncodedImages):
    """Images whose signatures and data come only while another one is asked for."""

    concurrent_reads = 2

    def __init__(self, content):
        self.content = content
        self.barrier = threading.Barrier(2, timeout=10)

    def __len__(self):
        return 40

    def data(self, row):
        self.barrier.wait()
        return self.content

    def signature(self, row):
        self.barrier.wait()
        return str(row)

    def select(self, rows):
        raise NotImplementedError


def test_stores_are_asked_for_several_images_at_once(tmp_path, put_images):
    put_images(tmp_path, ["a/1.png", "b/2.png"])
    data = load_dataset(tmp_path)
    ids = np.array([f"i{row}" for row in range(40)])
    label = np.zeros(40, dtype=np.int16)
    waiting = Waiting((tmp_path / "a/1.png").read_bytes())
    many = Dataset("x:y", waiting, ids, label, ids, data.classes)
    assert dataset._signatures(waiting) == [str(row) for row in range(40)]
    assert check_dataset(many).sizes == {(8, 6): 40}


def test_selected_files_keep_the_order(tmp_path, put_images):
    put_images(tmp_path, ["a.png", "b.png", "c.png"])
    images = FileImages([tmp_path / name for name in ("a.png", "b.png", "c.png")])
    chosen = pickle.loads(pickle.dumps(images.select(np.array([2, 0]))))
    assert [chosen.read(row).size for row in range(2)] == [(10, 6), (8, 6)]


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3)])
def test_array_images(shape):
    array = np.random.default_rng(0).integers(0, 256, (6, *shape), dtype=np.uint8)
    images = ArrayImages(array).select(np.array([5, 1]))
    assert len(images) == 2
    for row, source in enumerate((5, 1)):
        pixels = np.asarray(images.read(row))
        assert pixels.shape == (4, 5, 3)
        np.testing.assert_array_equal(pixels[..., 0], array[source].reshape(4, 5, -1)[..., 0])
        assert images.signature(row) == ArrayImages(array).signature(source)


def test_an_arrays_signature_changes_with_a_pixel():
    array = np.zeros((1, 4, 4), dtype=np.uint8)
    before = ArrayImages(array.copy()).signature(0)
    array[0, 3, 3] = 1
    assert ArrayImages(array).signature(0) != before


@pytest.mark.parametrize("place", [0, 150_000, 299_999])
def test_a_changed_file_of_the_same_size_has_another_signature(tmp_path, place):
    """Uncompressed images keep their size when their pixels change."""
    content = bytearray(300_000)
    (tmp_path / "a.bmp").write_bytes(content)
    images = FileImages([tmp_path / "a.bmp"])
    before = images.signature(0)
    content[place] = 1
    (tmp_path / "a.bmp").write_bytes(content)
    assert images.signature(0) != before
