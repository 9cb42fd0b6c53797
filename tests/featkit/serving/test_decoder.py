"""Files of all kinds, decoded as a decoder does, beside Pillow's own reading of them."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from featkit.backbones import load_backbone
from featkit.data import synthetic_dataset
from featkit.serving._decoder import Work, _decoded


@pytest.fixture(scope="module")
def preprocessing():
    return load_backbone("featkit:tiny").preprocessing


@pytest.fixture(scope="module")
def drawn():
    return synthetic_dataset(images=48, size=64).images.read(0).crop((0, 0, 60, 40))


def written(image, kind, **options):
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(content, preprocessing, *, pixels=10**6, views=1):
    told, sent = _decoded(content, Work(preprocessing, views, pixels, 1 << 32), preview=True)
    if not sent:
        return told, None, None
    shape = (views, *preprocessing.crop, 3)
    return told, np.frombuffer(sent[0], np.uint8).reshape(shape), Image.open(BytesIO(sent[1]))


def turned(drawn):
    tag = Image.Exif()
    tag[0x0112] = 6
    return written(drawn.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=tag, quality=95)


def in_16_bits(drawn):
    grey = np.asarray(drawn.convert("L")).astype(np.uint16) * 257
    return written(Image.fromarray(grey), "PNG")


FILES = {
    "JPEG": lambda drawn: written(drawn, "JPEG", quality=95),
    "grey JPEG": lambda drawn: written(drawn.convert("L"), "JPEG"),
    "CMYK JPEG": lambda drawn: written(drawn.convert("CMYK"), "JPEG", quality=95),
    "progressive JPEG": lambda drawn: written(drawn, "JPEG", progressive=True, quality=95),
    "PNG": lambda drawn: written(drawn, "PNG"),
    "PNG of 16 bits": in_16_bits,
    "PNG with a palette": lambda drawn: written(drawn.quantize(64), "PNG"),
    "transparent PNG": lambda drawn: written(drawn.convert("RGBA"), "PNG"),
    "TIFF": lambda drawn: written(drawn, "TIFF", compression="tiff_lzw"),
    "BMP": lambda drawn: written(drawn, "BMP"),
    "WebP": lambda drawn: written(drawn, "WEBP", lossless=True),
    "GIF that moves": lambda drawn: written(
        drawn, "GIF", save_all=True, append_images=[Image.new("RGB", drawn.size, "red")]
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_people_have(name, drawn, preprocessing):
    told, pixels, _ = decoded(FILES[name](drawn), preprocessing)
    reference = drawn.convert("L").convert("RGB") if name in GREY else drawn
    wanted = preprocessing(reference)
    assert (told["width"], told["height"]) == drawn.size
    assert np.abs(pixels[0].astype(int) - wanted).mean() < 6  # of JPEG, and a palette's 64 colours
    assert told["seen"] == preprocessing.seen(drawn.height, drawn.width)


GREY = {"grey JPEG", "PNG of 16 bits"}


def test_a_tag_that_turns_is_obeyed(drawn, preprocessing):
    told, pixels, preview = decoded(turned(drawn), preprocessing)
    assert (told["width"], told["height"]) == drawn.size
    assert np.abs(pixels[0].astype(int) - preprocessing(drawn)).mean() < 3
    assert preview.size == drawn.size
    assert np.abs(np.asarray(preview).astype(int) - np.asarray(drawn)).mean() < 6


def test_a_preview_is_small(preprocessing):
    content = written(Image.new("RGB", (3000, 1500), "brown"), "PNG")
    assert decoded(content, preprocessing, pixels=10**7)[2].size == (640, 320)


def test_views_are_drawn_by_the_file(drawn, preprocessing):
    content = FILES["PNG"](drawn)
    _, first, _ = decoded(content, preprocessing, views=3)
    _, second, _ = decoded(content, preprocessing, views=3)
    assert len(first) == 3
    assert (first == second).all()
    assert (first[0] == preprocessing(drawn)).all()
    assert not (first[0] == first[1]).all()


def png_of(width, height):
    """Return a PNG of a size that its few pixels do not fill."""

    def chunk(kind, data):
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = zlib.compress(b"\0" * 1000)
    pieces = [chunk(b"IHDR", header), chunk(b"IDAT", content), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(pieces)


def tiff_with_tags(count):
    """Return a TIFF whose directory promises more than the file has."""
    return b"II*\0" + struct.pack("<IH", 8, count) + b"\xff" * 240


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("nothing", b""),
        ("a text", b"hello"),
        ("one byte", b"\xff"),
        ("a JPEG's beginning", b"\xff\xd8\xff"),
        ("many tags", tiff_with_tags(65535)),
        ("an SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        ("fewer pixels than promised", png_of(300, 300)),
        ("a strip", png_of(1000, 2)),
    ],
)
def test_what_is_no_image_says_why(name, content, preprocessing):
    told, pixels, _ = decoded(content, preprocessing)
    assert told["refused"] == "image"
    assert told["reason"]
    assert pixels is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "GIF", "BMP", "WEBP"])
def test_half_a_file_is_no_image(kind, drawn, preprocessing):
    content = written(drawn, kind)
    told, *_ = decoded(content[: len(content) // 2], preprocessing)
    assert told["refused"] == "image"


def test_a_bomb_is_known_by_its_header(preprocessing):
    told, *_ = decoded(png_of(20_000, 20_000), preprocessing, pixels=50_000_000)
    assert told in (
        {"refused": "pixels", "pixels": 400_000_000},
        {"refused": "image", "reason": "decompression bomb"},
    )
    assert decoded(png_of(101, 100), preprocessing, pixels=10_099)[0] == {
        "refused": "pixels",
        "pixels": 10_100,
    }
