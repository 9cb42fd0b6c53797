"""Images given one by one."""

import io

import numpy as np
import pytest
from PIL import Image

from featkit.data import dataset_of
from featkit.data.decoding import ImageError, decode_image
from featkit.errors import DataError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 16, 3), np.uint8)


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_paths(tmp_path):
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "x.png")
        Image.fromarray(PIXELS).save(paths[-1])
    dataset = dataset_of([*paths, str(paths[0])])
    assert dataset.image_id.tolist() == ["x.png", "x.png (2)", "x.png (3)"]
    np.testing.assert_array_equal(np.asarray(dataset.images.read(1)), PIXELS)


def test_names_that_look_like_numbered_ones_stay_apart(tmp_path):
    names = ["x.png", "x.png", "x.png (2)"]
    assert len(set(dataset_of([str(tmp_path / name) for name in names]).image_id)) == 3


@pytest.mark.parametrize("wrap", [list, np.stack])
def test_arrays(wrap):
    grey = PIXELS[:, :, 0]
    dataset = dataset_of(wrap([PIXELS, PIXELS[::-1]]))
    np.testing.assert_array_equal(np.asarray(dataset.images.read(1)), PIXELS[::-1])
    shown = np.asarray(dataset_of([grey]).images.read(0))
    np.testing.assert_array_equal(shown, np.repeat(grey[:, :, None], 3, axis=2))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1", "CMYK", "I;16"])
def test_pil_images_are_shown_as_their_files_would_be(mode):
    """The oracle is the decoder of files."""
    if mode == "I;16":
        image = Image.fromarray((PIXELS[:, :, 0].astype(np.uint16) << 8) + 3)
    else:
        image = Image.fromarray(PIXELS).convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    expected = decode_image(encoded(image, kind))
    before = image.tobytes()
    found = dataset_of([image]).images.read(0)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
    assert (image.mode, image.tobytes()) == (mode, before)


def test_an_image_that_was_opened_turned_is_shown_upright_and_stays_as_it_was():
    exif = Image.Exif()
    exif[274] = 6
    content = encoded(Image.fromarray(PIXELS), exif=exif)
    opened = Image.open(io.BytesIO(content))
    dataset = dataset_of([opened])
    for _ in range(2):
        np.testing.assert_array_equal(np.asarray(dataset.images.read(0)), np.rot90(PIXELS, -1))
    assert opened.getexif()[274] == 6


def test_an_opened_file_that_is_damaged_fails_when_it_is_read():
    opened = Image.open(io.BytesIO(encoded(Image.fromarray(PIXELS))[:-40]))
    with pytest.raises(ImageError, match="truncated"):
        dataset_of([opened]).images.read(0)


def test_what_changes_changes_the_signature():
    other = PIXELS.copy()
    other[3, 3, 0] ^= 1
    dataset = dataset_of([PIXELS, other, PIXELS])
    first, second, third = (dataset.images.signature(row) for row in range(3))
    assert first == third != second
    np.testing.assert_array_equal(np.asarray(dataset.select(np.array([1])).images.read(0)), other)


@pytest.mark.parametrize(
    "given",
    [
        [3],
        [PIXELS.astype(float)],
        [PIXELS[:, :, :2]],
        [PIXELS[:0]],
        ["a.png", PIXELS],
        [None],
    ],
)
def test_what_is_no_image(given):
    with pytest.raises(DataError, match=r"image \d of those given"):
        dataset_of(given)


@pytest.mark.parametrize("alone", ["a.jpg", PIXELS, Image.fromarray(PIXELS)])
def test_one_image_is_not_taken_for_several(alone):
    with pytest.raises(DataError, match=r"one image where several are taken.*\[image\]"):
        dataset_of(alone)


def test_nothing():
    assert len(dataset_of([])) == 0
