"""From a file's bytes to an upright 8-bit RGB image, or a short reason why not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from io import BytesIO
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from simplejpeg import decode_jpeg, decode_jpeg_header

__all__ = [
    "MAX_PIXELS",
    "ImageError",
    "check_shape",
    "decode_image",
    "decode_pixels",
    "file_hash",
    "image_size",
    "is_turned",
    "jpeg_header",
    "pixel_hash",
    "upright_rgb",
]

MAX_PIXELS = 178_956_970
"""Larger images are refused from their header (512 MiB of RGB; Pillow's own hard limit)."""

_MAX_ASPECT = 100
"""A longer strip would take gigabytes once its shorter side is enlarged to a network's."""

_JPEG = b"\xff\xd8\xff"

_PLAIN_JPEG = ("YCbCr", "Gray", "RGB")
"""Of these, libjpeg-turbo makes the same RGB for Pillow and without it."""

_EXIF, _XMP = b"Exif\0\0", b"tiff:Orientation"
"""Only blocks with one of these can hold a tag that turns the image; most files have neither."""

_PLUGINS: Mapping[bytes, Callable[[BytesIO], ImageFile]] = MappingProxyType(
    {
        _JPEG: JpegImageFile,
        b"\x89PNG\r\n\x1a\n": PngImageFile,
        b"BM": BmpImageFile,
        b"GIF8": GifImageFile,
        b"II*\0": TiffImageFile,
        b"MM\0*": TiffImageFile,
        b"RIFF": WebPImageFile,
    }
)

_UPRIGHT: Mapping[int, Image.Transpose] = MappingProxyType(
    {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
)

_CONVERTIBLE = frozenset(
    {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"}
)

_TIFF_BITS, _TIFF_PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0


class ImageError(Exception):
    """An image that cannot be read.

    Attributes:
        reason: A few words for the ledger of failures.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def decode_image(data: bytes) -> Image.Image:
    """Return the first picture of an image file as upright 8-bit RGB at its original size.

    JPEG, PNG, TIFF, BMP, WebP and GIF are told by content, not by name. Orientation tags are
    obeyed, transparency lies over white, 16-bit pixels keep their high byte, CMYK is converted
    without its colour profile. Thread-safe; changes no global state.

    Args:
        data: The file's content.

    Raises:
        ImageError: Empty, not an image, damaged, too large, or of pixels without a known range.
    """
    plugin = _plugin(data)
    try:
        image = plugin(BytesIO(data))
        if image.width * image.height > MAX_PIXELS:
            raise ImageError(f"decompression bomb: {image.width} x {image.height} px")
        image.load()
        return _upright(_rgb(image), _orientation(image))
    except (ImageError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise ImageError("decompression bomb") from None
    except Exception as error:  # damaged files make the plugins raise nearly everything
        raise ImageError(_reason(error)) from error


def upright_rgb(image: Image.Image) -> Image.Image:
    """Return a picture that someone else opened as `decode_image` would; it stays as it was.

    Raises:
        ImageError: It cannot be loaded, or its pixels have no known range.
    """
    try:
        image.load()
        found = _rgb(image)
        return _upright(found.copy() if found is image else found, _orientation(image))
    except (ImageError, MemoryError):
        raise
    except Exception as error:  # a file that was opened lazily may be damaged
        raise ImageError(_reason(error)) from error


def decode_pixels(data: bytes) -> NDArray[np.uint8]:
    """Return what `decode_image` does as an array (H, W, 3), plain JPEGs without detours.

    Args:
        data: The file's content.

    Raises:
        ImageError: As `decode_image` does.
    """
    if jpeg_header(data) and _EXIF not in data:
        try:
            pixels: NDArray[np.uint8] = decode_jpeg(data, "RGB")
            return pixels
        except ValueError:  # damaged: Pillow says how
            pass
    return np.array(decode_image(data))


class JpegHeader(NamedTuple):
    """What a JPEG's header says.

    Attributes:
        height: In pixels, as stored.
        width: Likewise.
        colours: `YCbCr`, `Gray` or `RGB`.
        subsampling: Of the colours: `444`, `422`, `420` ..., or `Gray`.
    """

    height: int
    width: int
    colours: str
    subsampling: str


def jpeg_header(data: bytes) -> JpegHeader | None:
    """Return the header of a JPEG that libjpeg-turbo makes the same RGB of as Pillow; else None.

    An Exif tag may turn the image all the same (`is_turned`); XMP does not.

    Args:
        data: The file's content.
    """
    if not data.startswith(_JPEG) or _XMP in data:
        return None
    try:
        header = JpegHeader(*decode_jpeg_header(data))
    except ValueError:
        return None
    usual = header.colours in _PLAIN_JPEG and header.height * header.width <= MAX_PIXELS
    return header if usual else None


def is_turned(data: bytes) -> bool:
    """Tell whether a tag of a JPEG turns or mirrors the image.

    Args:
        data: The content of a file that has a `jpeg_header`.
    """
    if _EXIF not in data:
        return False
    try:
        return _orientation(JpegImageFile(BytesIO(data))) in _UPRIGHT
    except Exception:  # as in decode_image, which will find out
        return True


def image_size(data: bytes) -> tuple[int, int]:
    """Return width and height of an image file, as stored, from its header alone.

    Raises:
        ImageError: Empty, not an image, or its header is damaged.
    """
    plugin = _plugin(data)
    try:
        image = plugin(BytesIO(data))
    except Image.DecompressionBombError:
        raise ImageError("decompression bomb") from None
    except MemoryError:
        raise
    except Exception as error:  # damaged files make the plugins raise nearly everything
        raise ImageError(_reason(error)) from error
    return image.size


def check_shape(height: int, width: int) -> None:
    """Refuse what cannot be a photograph, before it is enlarged.

    Args:
        height: In pixels.
        width: In pixels.

    Raises:
        ImageError: One side is more than a hundred times the other.
    """
    if max(height, width) > _MAX_ASPECT * min(height, width):
        raise ImageError(f"not a photograph's shape: {width} x {height} px")


def pixel_hash(image: Image.Image | NDArray[np.uint8]) -> str:
    """Return 32 hex digits of SHA-256 over the RGB image's size and pixels.

    Args:
        image: As `decode_image` returns it, not resized; or its pixels (H, W, 3).
    """
    pixels = np.ascontiguousarray(image)
    height, width, _ = pixels.shape
    digest = hashlib.sha256(f"{width}x{height}:".encode())
    digest.update(pixels.data)
    return digest.hexdigest()[:32]


def file_hash(data: bytes) -> str:
    """Return 32 hex digits of SHA-256 over an image file: who knows it knows these pixels.

    Of two files with the same pixels the hashes may differ.

    Args:
        data: The file's content.
    """
    return hashlib.sha256(data).hexdigest()[:32]


def _plugin(data: bytes) -> Callable[[BytesIO], ImageFile]:
    # Image.open warns about large images through global state, and tries every format there is
    # (EPS runs Ghostscript); the plugins themselves do neither.
    if not data:
        raise ImageError("0 bytes")
    for magic, plugin in _PLUGINS.items():
        if data.startswith(magic):
            return plugin
    raise ImageError("not an image")


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return _grey_from_16_bits(image).convert("RGB")
    if image.mode not in _CONVERTIBLE:
        raise ImageError(f"pixels of mode {image.mode} have no known range")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _grey_from_16_bits(image: Image.Image) -> Image.Image:
    bits, inverted = 16, False
    if isinstance(image, TiffImageFile):
        bits = image.tag_v2.get(_TIFF_BITS, (16,))[0]
        inverted = image.tag_v2.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO
    grey = (np.asarray(image) >> (bits - 8)).astype(np.uint8)
    return Image.fromarray(255 - grey if inverted else grey)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a damaged tag says nothing; the pixels are whole
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    transpose = _UPRIGHT.get(orientation)
    upright = image if transpose is None else image.transpose(transpose)
    upright.info.clear()  # a kept orientation tag would turn the image a second time
    return upright


def _reason(error: Exception) -> str:
    message = " ".join(str(error).split())
    if "truncated" in message.lower():
        return "truncated file"
    return f"damaged file ({message[:80] or type(error).__name__})"
