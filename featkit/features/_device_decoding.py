"""Decoding on a device: JPEG files together, by torchcodec; what is damaged, by the host."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from simplejpeg import decode_jpeg
from torch import Tensor

from featkit.data.decoding import (
    ImageError,
    check_shape,
    decode_pixels,
    is_turned,
    jpeg_header,
)
from featkit.errors import BackboneError

__all__ = ["Content", "check_decoding", "decodable", "on_device", "planes", "unable"]

Content = bytes | Tensor | ImageError
"""A JPEG file; pixels (3, H, W), uint8, that the host decoded; or why an image cannot be had."""

_COLOURS, _SUBSAMPLINGS = ("YCbCr", "Gray"), ("444", "422", "420", "440", "411", "Gray")
"""What nvJPEG decodes."""

_END, _PADDING = b"\xff\xd9", 64
"""What a whole JPEG ends with, but for so many bytes of padding."""

_APART = 16
"""Levels by which two decoders may differ on a picture without sharp edges."""


def decodable(data: bytes) -> int:
    """Return how many pixels a file has that a device decodes as the host would; 0 of others.

    That is a whole JPEG of a usual kind, which no tag turns. Of one that is cut short a device
    makes the rest up.
    """
    header = jpeg_header(data)
    if header is None or _END not in data[-_PADDING - len(_END) :] or is_turned(data):
        return 0
    usual = header.colours in _COLOURS and header.subsampling in _SUBSAMPLINGS
    return header.height * header.width if usual else 0


def check_decoding(device: torch.device) -> None:
    """Decode a picture before all others: where that fails, it is no fault of theirs.

    Raises:
        BackboneError: torchcodec is not installed, or does not decode rightly on this device.
    """
    file = BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "jpeg", quality=95)
    try:
        found = _decode_jpegs([file.getvalue()] * 2, device)
    except ModuleNotFoundError:
        raise BackboneError(
            "cannot decode images on a GPU",
            cause="torchcodec is not installed",
            remedy="Install featkit[gpu], or use --decoder cpu",
        ) from None
    except (ImportError, OSError, RuntimeError) as error:
        raise unable(device, error) from error
    expected = planes(decode_pixels(file.getvalue())).int()
    if any((each.cpu().int() - expected).abs().max() > _APART for each in found):
        raise unable(device, "its decoder makes other pixels")


def on_device(contents: Sequence[Content], device: torch.device) -> list[Tensor | ImageError]:
    """Return pixels (3, H, W), uint8, on the device, or why there are none.

    What becomes of a file does not depend on the others.

    Args:
        contents: Files that the device can decode (`decodable`), and what is no such file.
        device: Where.

    Raises:
        BackboneError: The device fails, and not because a file is damaged.
    """
    decoded = iter(_decoded([each for each in contents if isinstance(each, bytes)], device))
    images = []
    for content in contents:
        image = next(decoded) if isinstance(content, bytes) else content
        images.append(_checked(image, device))
    return images


def _decoded(files: Sequence[bytes], device: torch.device) -> list[Tensor | ImageError]:
    """Decode files together; if one of them cannot be, each by itself."""
    if not files:
        return []
    try:
        return list(_decode_jpegs(files, device))
    except RuntimeError as error:
        if len(files) > 1:
            return [each for file in files for each in _decoded([file], device)]
        if not _is_damaged(files[0]):
            raise unable(device, error) from error
    try:
        return [planes(decode_pixels(files[0]))]
    except ImageError as error:
        return [error]


def _is_damaged(file: bytes) -> bool:
    """Tell whether a strict decoder of the host refuses the file as well."""
    try:
        decode_jpeg(file)
    except ValueError:
        return True
    return False


def _decode_jpegs(files: Sequence[bytes], device: torch.device) -> list[Tensor]:
    from torchcodec import decoders

    return list(decoders.decode_jpeg(list(files), device=device))


def unable(device: torch.device, error: object) -> BackboneError:
    """Return the error that says that a device fails at decoding, and why."""
    said = str(error).strip().splitlines() or [type(error).__name__]
    return BackboneError(
        f"cannot decode images on {device}",
        cause=said[-1].rstrip("."),
        remedy="Use --decoder cpu",
    )


def planes(pixels: NDArray[np.uint8]) -> Tensor:
    """Return an image (H, W, 3) as planes (3, H, W)."""
    return torch.from_numpy(pixels).permute(2, 0, 1)


def _checked(image: Tensor | ImageError, device: torch.device) -> Tensor | ImageError:
    if isinstance(image, ImageError):
        return image
    try:
        check_shape(*image.shape[1:])
    except ImageError as error:
        return error
    return image.to(device)
