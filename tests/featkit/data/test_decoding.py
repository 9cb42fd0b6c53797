import hashlib
import pickle
import struct
import threading
import warnings
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageFile

from featkit.data import ImageError, decode_image, pixel_hash
from featkit.data.decoding import (
    MAX_PIXELS,
    check_shape,
    decode_pixels,
    file_hash,
    is_turned,
    jpeg_header,
)

KINDS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
MAGIC = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"BM",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
    b"RIFF\0\0\0\0WEBPVP8 ",
)


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(data: bytes) -> np.ndarray:
    """The image's pixels, which must be the same on both ways."""
    image = decode_image(data)
    assert image.mode == "RGB"
    np.testing.assert_array_equal(decode_pixels(data), np.asarray(image))
    return np.asarray(image)


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *chunks: bytes) -> bytes:
    """A PNG file written by hand: Pillow cannot write 16-bit colour."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = b"".join(chunks) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    rng = np.random.default_rng(0)
    rough = Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8))
    return rough.resize((50, 40), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_give_the_very_pixels(photo, kind):
    np.testing.assert_array_equal(pixels(encode(photo, kind)), np.asarray(photo))


def test_webp_and_gif(photo):
    data = encode(photo, "WEBP", lossless=True)
    np.testing.assert_array_equal(pixels(data), np.asarray(photo))
    assert np.abs(pixels(encode(photo, "GIF")).astype(int) - np.asarray(photo)).mean() < 20


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_decodes_as_pillow_does(photo, options):
    data = encode(photo, "JPEG", quality=90, **options)
    np.testing.assert_array_equal(pixels(data), np.asarray(Image.open(BytesIO(data))))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_orientation_tags_are_obeyed_once(kind, orientation):
    # What ends upright, by the tag's definition (row 0 and column 0 of the stored picture).
    upright = np.full((32, 48, 3), 255, dtype=np.uint8)
    upright[:16, :16] = 0
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode_image(encode(stored, kind, exif=exif))
    assert np.abs(np.asarray(image).astype(int) - upright).mean() < 3
    assert "exif" not in image.info
    assert image.getexif().get(0x0112, 1) == 1


def test_a_damaged_orientation_tag_does_not_lose_the_image(photo):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(photo, "JPEG", exif=exif).replace(b"Exif\0\0MM", b"Exif\0\0XX")
    assert decode_image(data).size == (50, 40)


def test_transparency_lies_over_white():
    rgba = np.zeros((2, 2, 4), dtype=np.uint8)
    rgba[0, 0] = (200, 100, 0, 255)
    rgba[0, 1] = (200, 100, 0, 0)
    rgba[1, 0] = (0, 0, 0, 51)
    out = pixels(encode(Image.fromarray(rgba)))
    assert out[0, 0].tolist() == [200, 100, 0]
    assert out[0, 1].tolist() == [255, 255, 255]
    assert out[1, 0].tolist() == [204, 204, 204]
    grey = Image.fromarray(np.array([[[10, 255], [10, 0]]], dtype=np.uint8), "LA")
    assert pixels(encode(grey)).tolist() == [[[10, 10, 10], [255, 255, 255]]]


def test_palettes_with_and_without_transparency():
    image = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8)).convert("P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    white = [255, 255, 255]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pixels(encode(image)).tolist() == [colours]
        one = pixels(encode(image, transparency=1)).tolist()
        assert one == [[colours[0], white, colours[2]]]
        several = pixels(encode(image, transparency=b"\x00\xff\x00")).tolist()
        assert several == [[white, colours[1], white]]


def test_a_transparent_colour():
    image = Image.fromarray(np.array([[[1, 2, 3], [9, 9, 9]]], dtype=np.uint8))
    out = pixels(encode(image, transparency=(1, 2, 3)))
    assert out.tolist() == [[[255, 255, 255], [9, 9, 9]]]


def test_one_bit_and_grey():
    bits = Image.fromarray(np.array([[True, False]]))
    assert bits.mode == "1"
    assert pixels(encode(bits)).tolist() == [[[255] * 3, [0] * 3]]
    grey = Image.fromarray(np.array([[7, 250]], dtype=np.uint8))
    assert pixels(encode(grey, "JPEG", quality=100)).shape == (1, 2, 3)
    assert pixels(encode(grey)).tolist() == [[[7] * 3, [250] * 3]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped(kind):
    values = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    out = pixels(encode(Image.fromarray(values), kind))
    np.testing.assert_array_equal(out[..., 0], np.arange(256).reshape(16, 16))
    np.testing.assert_array_equal(out, out[..., :1].repeat(3, axis=2))


def test_16_bit_tiff_of_either_byte_order_and_polarity():
    values = np.array([[0, 128 * 257, 65535]], dtype=np.uint16)
    little = encode(Image.fromarray(values), "TIFF")
    assert little[:2] == b"II"
    assert pixels(little)[0, :, 0].tolist() == [0, 128, 255]
    tag = struct.pack("<HHIHH", 262, 3, 1, 1, 0)
    assert little.count(tag) == 1
    white_is_zero = little.replace(tag, struct.pack("<HHIHH", 262, 3, 1, 0, 0))
    assert pixels(white_is_zero)[0, :, 0].tolist() == [255, 127, 0]
    big = encode(Image.fromarray(values.astype(">u2")), "TIFF")
    assert pixels(big)[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("alpha", [False, True])
def test_16_bit_colour_is_scaled_and_not_clipped(alpha):
    samples = [0x0000, 0x80FF, 0xFFFF, *([0xFFFF] if alpha else [])]
    row = b"\0" + struct.pack(f">{len(samples)}H", *samples)
    assert pixels(png(1, 1, 16, 6 if alpha else 2, row)).tolist() == [[[0, 128, 255]]]


def test_cmyk_is_converted_with_adobes_polarity():
    inks = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    for data in (encode(inks, "JPEG", quality=100), encode(inks, "TIFF")):
        assert np.abs(pixels(data)[8, 8].astype(int) - [0, 255, 255]).max() <= 3


def test_only_the_first_frame_counts(photo):
    other = Image.new("RGB", photo.size, "red")
    for kind in ("TIFF", "PNG", "GIF"):
        data = encode(photo, kind, save_all=True, append_images=[other])
        np.testing.assert_array_equal(pixels(data), pixels(encode(photo, kind)))


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_without_a_known_range_are_refused(mode):
    with pytest.raises(ImageError, match=f"pixels of mode {mode} have no known range"):
        decode_image(encode(Image.new(mode, (2, 2), 1000), "TIFF"))


@pytest.mark.parametrize(
    "data", [b"hello", b"\0" * 100, b"%PDF-1.7", b"<svg/>", b"\xff\xd8", b"%!PS"]
)
def test_not_an_image(data):
    with pytest.raises(ImageError, match="not an image"):
        decode_image(data)


def test_zero_bytes():
    with pytest.raises(ImageError, match="0 bytes"):
        decode_image(b"")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.99, 0.5, 0.1])
def test_files_cut_short_are_refused(photo, kind, kept):
    data = encode(photo, kind)
    with pytest.raises(ImageError, match=r"truncated file|damaged file") as caught:
        decode_image(data[: int(kept * len(data))])
    assert len(caught.value.reason) < 110
    assert "\n" not in caught.value.reason


def test_a_jpeg_cut_short_is_called_truncated(photo):
    data = encode(photo, "JPEG")
    with pytest.raises(ImageError, match=r"^truncated file$"):
        decode_image(data[: len(data) * 2 // 3])


def test_a_decompression_bomb_is_refused_from_its_header():
    bomb = png(40_000, 40_000, 8, 2, b"")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match=r"decompression bomb: 40000 x 40000 px"):
            decode_image(bomb)


def test_large_images_below_the_limit_are_read_without_a_warning():
    width, height = 9_500, 9_500
    assert Image.MAX_IMAGE_PIXELS < width * height < MAX_PIXELS
    data = encode(Image.new("1", (width, height)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode_image(data).size == (width, height)


@given(data=st.binary(max_size=200), magic=st.sampled_from(MAGIC))
@settings(max_examples=200, deadline=None)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_any_bytes_are_an_image_or_an_image_error(data, magic):
    try:
        assert decode_image(magic + data).mode == "RGB"
    except ImageError as error:
        assert error.reason


@given(place=st.integers(0, 10**6), value=st.integers(0, 255), kind=st.sampled_from(KINDS))
@settings(max_examples=200, deadline=None)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_changed_byte_gives_an_image_or_an_image_error(place, value, kind):
    data = bytearray(encode(Image.linear_gradient("L").resize((20, 20)).convert("RGB"), kind))
    data[place % len(data)] = value
    try:
        assert decode_image(bytes(data)).mode == "RGB"
    except ImageError as error:
        assert error.reason


def test_threads_agree_with_one_thread(photo):
    files = [encode(photo.rotate(10 * turn), "JPEG") for turn in range(8)]
    alone = [pixel_hash(decode_image(data)) for data in files]
    found: dict[int, list[str]] = {}

    def work(number: int) -> None:
        found[number] = [pixel_hash(decode_image(data)) for data in files]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(hashes == alone for hashes in found.values())
    assert len(found) == 4


def test_no_setting_of_pillow_is_changed(photo):
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    decode_image(encode(photo))
    after = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    assert after == before


def test_pixel_hash_is_sha256_of_size_and_pixels(photo):
    expected = hashlib.sha256(b"50x40:" + np.asarray(photo).tobytes()).hexdigest()[:32]
    assert pixel_hash(photo) == expected
    assert pixel_hash(decode_image(encode(photo, "PNG"))) == pixel_hash(
        decode_image(encode(photo, "BMP"))
    )


def test_pixel_hash_tells_shapes_apart():
    assert pixel_hash(Image.new("RGB", (2, 3))) != pixel_hash(Image.new("RGB", (3, 2)))


def test_an_image_error_crosses_processes():
    assert pickle.loads(pickle.dumps(ImageError("0 bytes"))).reason == "0 bytes"


@pytest.mark.parametrize("size", [(1, 1), (100, 1), (3, 300), (1000, 10), (50, 40)])
def test_shapes_that_may_be_photographs(size):
    check_shape(*size[::-1])


@pytest.mark.parametrize("size", [(101, 1), (3, 301), (1001, 10)])
def test_strips_are_no_photographs(size):
    words = f"not a photograph's shape: {size[0]} x {size[1]} px"
    with pytest.raises(ImageError, match=words):
        check_shape(*size[::-1])


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    mode=st.sampled_from(["RGB", "L", "CMYK", "YCbCr"]),
    quality=st.integers(1, 100),
    subsampling=st.integers(0, 2),
    progressive=st.booleans(),
    kept=st.floats(0.3, 1.0),
    orientation=st.sampled_from([None, 1, 3, 6]),
    in_xmp=st.booleans(),
)
def test_a_jpeg_has_the_same_pixels_without_detours(
    size, mode, quality, subsampling, progressive, kept, orientation, in_xmp
):
    rng = np.random.default_rng(quality)
    image = Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).convert(mode)
    options = {"quality": quality, "progressive": progressive}
    if orientation is not None and in_xmp:
        options["xmp"] = f'<rdf:Description tiff:Orientation="{orientation}"/>'.encode()
    elif orientation is not None:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = orientation
    data = encode(image, "JPEG", subsampling=subsampling, **options)
    data = data[: max(4, int(kept * len(data)))]
    try:
        expected = np.asarray(decode_image(data))
    except ImageError as error:
        with pytest.raises(ImageError) as found:
            decode_pixels(data)
        assert found.value.reason == error.reason
    else:
        np.testing.assert_array_equal(decode_pixels(data), expected)


@pytest.mark.parametrize(
    ("kind", "options", "plain"),
    [
        ("JPEG", {}, True),
        ("JPEG", {"progressive": True}, True),
        ("JPEG", {"xmp": b"<x tiff:Orientation='6'/>"}, False),
        ("PNG", {}, False),
    ],
)
def test_a_usual_jpeg_is_told_by_its_header(photo, kind, options, plain):
    data = encode(photo, kind, **options)
    header = jpeg_header(data)
    assert (header is not None) == plain
    if plain:
        assert (header.width, header.height) == photo.size
        assert (header.colours, header.subsampling) == ("YCbCr", "420")
    assert jpeg_header(data[:20]) is None


def test_cmyk_and_too_large_are_not_usual(photo, monkeypatch):
    assert jpeg_header(encode(photo.convert("CMYK"), "JPEG")) is None
    data = encode(photo, "JPEG")
    monkeypatch.setattr("featkit.data.decoding.MAX_PIXELS", photo.width * photo.height - 1)
    assert jpeg_header(data) is None


@pytest.mark.parametrize("orientation", range(10))
def test_a_jpeg_that_a_tag_turns(photo, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = encode(photo, "JPEG", exif=exif)
    assert is_turned(data) == (2 <= orientation <= 8)
    assert not is_turned(encode(photo, "JPEG"))


def test_what_pillow_cannot_open_may_be_turned():
    assert is_turned(b"\xff\xd8\xff Exif\0\0")


def test_file_hash_is_sha256_of_the_file(photo):
    data = encode(photo, "JPEG")
    assert file_hash(data) == hashlib.sha256(data).hexdigest()[:32]
