import json
from dataclasses import replace

import numpy as np
import pytest

from featkit.data import FileImages
from featkit.data.decoding import file_hash, pixel_hash
from featkit.errors import StoreError
from featkit.files import output_lock
from featkit.finetuning._pixels import decoded
from featkit.progress import NoProgress


def decode(dataset, preprocessing, folder, *, images=True, workers=2, progress=None):
    return decoded(
        dataset,
        preprocessing,
        folder,
        images=images,
        workers=workers,
        progress=progress or NoProgress(),
    )


@pytest.mark.parametrize(
    "fields", [{}, {"resize": (12, 12)}, {"resize": (12, 12), "border": True, "crop": (12, 12)}]
)
@pytest.mark.parametrize("workers", [1, 5])
def test_images_are_the_preprocessings(tmp_path, fakes, fields, workers):
    dataset, preprocessing = fakes.dataset(), fakes.preprocessing(**fields)
    pixels = decode(dataset, preprocessing, tmp_path / "p", workers=workers)
    for row in range(len(dataset)):
        photo = dataset.images.read(row)
        np.testing.assert_array_equal(pixels.image(row), preprocessing.resized(photo))
        assert pixels.image_hash[row] == pixel_hash(photo)
    assert pixels.readable.all()
    assert pixels.failures == {}


def test_what_cannot_be_read_keeps_its_row(tmp_path, fakes):
    broken = {0: "0 bytes", 5: "not an image", 6: "truncated file"}
    dataset, preprocessing = fakes.dataset(broken=broken), fakes.preprocessing()
    pixels = decode(dataset, preprocessing, tmp_path / "p")
    assert pixels.failures == broken
    assert np.flatnonzero(~pixels.readable).tolist() == [0, 5, 6]
    for row in (1, 4, 7, len(dataset) - 1):
        expected = preprocessing.resized(dataset.images.read(row))
        np.testing.assert_array_equal(pixels.image(row), expected)
    again = decode(dataset, preprocessing, tmp_path / "p")
    assert again.failures == broken


def test_files_are_known_by_their_own_hash_too(tmp_path, fakes):
    from PIL import Image

    files = [tmp_path / f"{row}.jpg" for row in range(3)]
    for file, shade in zip(files, (10, 90, 200), strict=True):
        Image.new("RGB", (30, 20), (shade, 0, 0)).save(file)
    files[1].write_bytes(b"")
    dataset = fakes.dataset()
    rows = np.arange(3)
    some = replace(dataset.select(rows), images=FileImages(files))
    pixels = decode(some, fakes.preprocessing(), tmp_path / "p")
    expected = [file_hash(file.read_bytes()) for file in files]
    assert pixels.file_hash.tolist() == [expected[0], "", expected[2]]
    assert pixels.image_hash[0] == pixel_hash(Image.open(files[0]))
    assert decode(dataset, fakes.preprocessing(), tmp_path / "q").file_hash[0] == ""


def test_strips_are_failures(tmp_path, fakes):
    from PIL import Image

    dataset = fakes.dataset()
    read = dataset.images.read
    dataset.images.read = lambda row: Image.new("RGB", (2000, 2)) if row == 3 else read(row)
    pixels = decode(dataset, fakes.preprocessing(), tmp_path / "p")
    assert pixels.failures == {3: "not a photograph's shape: 2000 x 2 px"}


def test_decoded_once_and_forgotten_and_decoded_again(tmp_path, fakes):
    dataset, preprocessing, folder = fakes.dataset(), fakes.preprocessing(), tmp_path / "p"
    first = decode(dataset, preprocessing, folder)
    count = dataset.images.reads
    assert count == len(dataset)
    before = np.array(first.image(3))
    assert decode(dataset, preprocessing, folder).image_hash.tolist() == first.image_hash.tolist()
    assert dataset.images.reads == count

    first.forget()
    assert [path.name for path in folder.iterdir()] == ["images.json"]
    ledger = decode(dataset, preprocessing, folder, images=False)
    assert dataset.images.reads == count  # hashes are all that was asked for
    assert ledger.image_hash.tolist() == first.image_hash.tolist()
    again = decode(dataset, preprocessing, folder)
    assert dataset.images.reads == 2 * count
    np.testing.assert_array_equal(again.image(3), before)


def test_another_data_set_or_size_replaces_what_is_there(tmp_path, fakes):
    dataset, preprocessing, folder = fakes.dataset(), fakes.preprocessing(), tmp_path / "p"
    decode(dataset, preprocessing, folder)
    other = fakes.dataset(first=100)
    found = decode(other, preprocessing, folder)
    np.testing.assert_array_equal(found.image(2), preprocessing.resized(other.images.read(2)))
    larger = fakes.preprocessing(resize=14)
    found = decode(other, larger, folder)
    assert min(found.image(2).shape[:2]) == 14


@pytest.mark.parametrize("left", ["pixels", "shapes", "ledger"])
def test_a_process_that_was_killed_left_nothing_to_be_trusted(tmp_path, fakes, left):
    """It dies before the last image, before the ledger, or wrote half a ledger."""
    dataset, preprocessing, folder = fakes.dataset(), fakes.preprocessing(), tmp_path / "p"
    decode(dataset, preprocessing, folder)
    if left == "pixels":
        (folder / "pixels.bin").write_bytes((folder / "pixels.bin").read_bytes()[:100])
        (folder / "shapes.npy").unlink()
        (folder / "images.json").unlink()
    elif left == "shapes":
        (folder / "images.json").unlink()
    else:
        (folder / "images.json").write_text((folder / "images.json").read_text()[:50])
    again = decode(dataset, preprocessing, folder)
    last = len(dataset) - 1
    np.testing.assert_array_equal(
        again.image(last), preprocessing.resized(dataset.images.read(last))
    )


def test_an_interrupt_ends_the_threads_and_the_next_attempt_starts_again(tmp_path, fakes):
    class Impatient(fakes.recorder):
        def advance(self, amount, *, note=""):
            raise KeyboardInterrupt

    dataset, preprocessing, folder = fakes.dataset(), fakes.preprocessing(), tmp_path / "p"
    with pytest.raises(KeyboardInterrupt):
        decode(dataset, preprocessing, folder, progress=Impatient())
    assert not (folder / "images.json").exists()
    assert decode(dataset, preprocessing, folder).readable.all()


def test_two_processes_do_not_decode_into_one_folder(tmp_path, fakes):
    folder = tmp_path / "p"
    with output_lock(folder), pytest.raises(StoreError, match="written by another process"):
        decode(fakes.dataset(), fakes.preprocessing(), folder)


def test_a_place_that_cannot_be_written(tmp_path, fakes):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="a file stands where a folder is needed"):
        decode(fakes.dataset(), fakes.preprocessing(), tmp_path / "file" / "p")
    assert (tmp_path / "file").read_text() == "mine"


def test_raw_images_lie_one_after_the_other(tmp_path, fakes):
    pixels = decode(fakes.dataset(), fakes.preprocessing(), tmp_path / "p")
    rows = np.array([7, 3, 3, 40])
    raw = pixels.raw(rows)
    assert raw.pixels.shape == (raw.shapes.prod(axis=1).sum(), 3)
    for row, start, (height, width) in zip(rows, raw.start, raw.shapes, strict=True):
        found = raw.pixels[start : start + height * width].view(height, width, 3)
        np.testing.assert_array_equal(found, pixels.image(row))


def test_progress_counts_every_image(tmp_path, fakes):
    recorder, dataset = fakes.recorder(), fakes.dataset(broken={2: "0 bytes"})
    decode(dataset, fakes.preprocessing(), tmp_path / "p", progress=recorder)
    assert recorder.starts == [("decode", len(dataset), 0, "images")]
    assert (recorder.advanced, recorder.finished) == (len(dataset), 1)


def test_the_ledger_is_json(tmp_path, fakes):
    decode(fakes.dataset(broken={1: "0 bytes"}), fakes.preprocessing(), tmp_path / "p")
    ledger = json.loads((tmp_path / "p" / "images.json").read_text())
    assert ledger["failures"] == {"1": "0 bytes"}
