"""Decoding alone on an NVIDIA GPU, in batches: nvJPEG through torchcodec, and a resize there.

Arguments: `images` (folder), `resize` and `crop` (px), `workers` (threads that read files).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor
from torchcodec.decoders import decode_jpeg
from torchvision.transforms.v2 import functional as tvf

from benchmarks.contenders.stopwatch import Stopwatch, arguments

_BATCH = 128


def main() -> None:
    """Decode all images, reading one batch while another is decoded."""
    wanted = arguments()
    paths = sorted(Path(wanted["images"]).rglob("*.jpg"))
    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    size = (wanted["resize"], wanted["crop"])
    with ThreadPoolExecutor(wanted["workers"]) as pool:
        decoded([path.read_bytes() for path in batches[0]], *size)
        torch.cuda.synchronize()

        watch = Stopwatch()
        following = [pool.submit(path.read_bytes) for path in batches[0]]
        for number in range(len(batches)):
            data = [each.result() for each in following]
            upcoming = batches[number + 1] if number + 1 < len(batches) else []
            following = [pool.submit(path.read_bytes) for path in upcoming]
            decoded(data, *size)
        torch.cuda.synchronize()
        watch.stop(len(paths))


def decoded(data: list[bytes], resize: int, crop: int) -> Tensor:
    """Return images (n, 3, crop, crop), uint8, on the GPU."""
    images = decode_jpeg(data, device="cuda")
    cropped = [
        tvf.center_crop(tvf.resize(image, [resize], antialias=True), [crop, crop])
        for image in images
    ]
    return torch.stack(cropped)


if __name__ == "__main__":
    main()
