"""Decoders: whether each one makes of a drawn picture's file the pixels that it should."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from featkit.doctor.finding import Finding, said

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["decoders"]

_SIDE = 96

_LOSSLESS = ("PNG", "BMP", "TIFF", "WEBP", "GIF")
"""Formats that `featkit.data` reads by Pillow, and that give pictures back as they were."""

_LOSS = 16
"""Levels by which a smooth picture may change in a JPEG file, and two decoders differ on it."""


def decoders(out: Path) -> Iterator[Finding]:
    """Decode generated files by every decoder that featkit uses, and compare the pixels."""
    import numpy as np
    from PIL import Image

    ramp = np.broadcast_to(np.linspace(0, 255, _SIDE).astype(np.uint8), (_SIDE, _SIDE))
    # Each colour rises another way, so that none can stand for another.
    picture = np.stack([ramp, ramp.T, ramp[:, ::-1] // 2 + ramp.T // 2], axis=2)
    jpeg = BytesIO()
    Image.fromarray(picture).save(jpeg, "jpeg", quality=95)
    yield _jpeg("Pillow", jpeg.getvalue(), picture)
    yield _jpeg("simplejpeg", jpeg.getvalue(), picture)
    yield _pillow(picture)
    yield from _torchcodec(jpeg.getvalue(), picture)


def _jpeg(name: str, file: bytes, picture: NDArray[np.uint8]) -> Finding:
    remedy = f"Reinstall it: pip install --force-reinstall {name.lower()}"
    try:
        found = _by(name, file)
    except Exception as error:  # broken libraries raise nearly everything
        return Finding(f"JPEG by {name}", said(error), "bad", remedy)
    return _judged(f"JPEG by {name}", found, picture, remedy=remedy, loss=_LOSS)


def _by(name: str, file: bytes) -> NDArray[np.uint8]:
    import numpy as np

    if name == "simplejpeg":
        from simplejpeg import decode_jpeg

        pixels: NDArray[np.uint8] = decode_jpeg(file, "RGB")
        return pixels
    from featkit.data.decoding import decode_image

    return np.asarray(decode_image(file))


def _judged(
    name: str, found: NDArray[np.uint8], picture: NDArray[np.uint8], *, remedy: str, loss: int
) -> Finding:
    import numpy as np

    if found.shape != picture.shape:
        return Finding(name, f"gives pixels of shape {found.shape}", "bad", remedy)
    apart = int(np.abs(found.astype(int) - picture.astype(int)).max())
    if apart > loss:
        return Finding(name, f"gives other pixels, by {apart} of 255", "bad", remedy)
    return Finding(name, "gives the right pixels" if not apart else f"within {apart} of 255")


def _pillow(picture: NDArray[np.uint8]) -> Finding:
    """Write and read the lossless formats."""
    import numpy as np
    from PIL import Image

    from featkit.data.decoding import decode_image

    wrong = []
    for kind in _LOSSLESS:
        file = BytesIO()
        # GIF has 256 colours, enough for one of the picture's three.
        pixels = picture[:, :, 0] if kind == "GIF" else picture
        try:
            Image.fromarray(pixels).save(file, kind, lossless=True)
            found = np.asarray(decode_image(file.getvalue()))
            same = bool((found == pixels.reshape(_SIDE, _SIDE, -1)).all())
        except Exception as error:  # as above; a format may be missing from this build of Pillow
            wrong.append(f"{kind}: {said(error)}")
            continue
        if not same:
            wrong.append(f"{kind}: other pixels")
    name = f"{', '.join(_LOSSLESS)} by Pillow"
    if wrong:
        remedy = "Reinstall it: pip install --force-reinstall pillow"
        return Finding(name, "; ".join(wrong), "bad", remedy)
    return Finding(name, "give the right pixels")


def _torchcodec(file: bytes, picture: NDArray[np.uint8]) -> Iterator[Finding]:
    """Decode on every NVIDIA GPU as `--decoder gpu` does; without one, on the CPU."""
    if find_spec("torchcodec") is None:
        value = "not installed: only --decoder gpu needs it"
        yield Finding("JPEG by torchcodec", value, "good", "pip install 'featkit[gpu]'")
        return
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for place in [f"cuda:{index}" for index in range(gpus)] or ["cpu"]:
        name = f"JPEG by torchcodec on {place}"
        remedy = "Leave --decoder cpu, or reinstall: pip install --force-reinstall 'featkit[gpu]'"
        try:
            from torchcodec.decoders import decode_jpeg

            found = decode_jpeg([file], device=place)[0].permute(1, 2, 0).cpu().numpy()
        except Exception as error:  # as above; FFmpeg's libraries may be missing
            yield Finding(name, said(error), "warn", remedy)
            continue
        yield _judged(name, found, picture, remedy=remedy, loss=_LOSS)
