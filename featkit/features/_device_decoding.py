"""Decoding on a device: JPEG files together, by torchcodec; what that cannot do, by the host."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from featkit.data.decoding import ImageError, check_shape, decode_pixels
from featkit.errors import BackboneError

__all__ = ["OUT_OF_MEMORY", "Content", "check_decoding", "on_device", "planes"]

Content = bytes | Tensor | ImageError
"""A JPEG file; pixels (3, H, W), uint8, that the host decoded; or why an image cannot be had."""

OUT_OF_MEMORY = "out of memory"
"""What is in the message of the RuntimeError, whatever library raises it."""


def check_decoding(device: torch.device) -> None:
    """Decode a picture of one colour: where that fails, it is no fault of the images.

    Raises:
        BackboneError: torchcodec is not installed, or cannot decode on this device.
    """
    file = BytesIO()
    Image.new("RGB", (16, 16), "white").save(file, "jpeg")
    try:
        from torchcodec.decoders import decode_jpeg

        decode_jpeg([file.getvalue()], device=device)
    except (ImportError, OSError, RuntimeError) as error:
        missing = isinstance(error, ModuleNotFoundError)
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise BackboneError(
            f"cannot decode images on {device}",
            cause="torchcodec is not installed" if missing else said[-1].rstrip("."),
            remedy=f"{'Install featkit[gpu], or use' if missing else 'Use'} --decoder cpu",
        ) from error


def on_device(contents: Sequence[Content], device: torch.device) -> list[Tensor | ImageError]:
    """Return pixels (3, H, W), uint8, on the device, or why there are none.

    What becomes of a file does not depend on the others.

    Raises:
        RuntimeError: The device's memory does not suffice (see `OUT_OF_MEMORY`).
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
        if OUT_OF_MEMORY in str(error):
            raise
    if len(files) > 1:
        return [each for file in files for each in _decoded([file], device)]
    try:
        return [planes(decode_pixels(files[0]))]
    except ImageError as error:
        return [error]


def _decode_jpegs(files: Sequence[bytes], device: torch.device) -> list[Tensor]:
    from torchcodec.decoders import decode_jpeg

    found: list[Tensor] = decode_jpeg(list(files), device=device)
    return found


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
