"""Decoding alone as featkit does it: whole pixels, their hash and PyTorch's resize, in threads.

Arguments: `images` (folder), `resize` and `crop` (px), `workers`.
"""

from __future__ import annotations

from contextlib import closing

import featkit
from benchmarks.contenders.stopwatch import Stopwatch, arguments
from featkit.backbones import Preprocessing
from featkit.features._loader import Loader

_BATCH = 32


def main() -> None:
    """Decode all images."""
    wanted = arguments()
    dataset = featkit.load_dataset(f"folder:{wanted['images']}")
    preprocessing = Preprocessing(
        resize=wanted["resize"],
        crop=(wanted["crop"], wanted["crop"]),
        interpolation="bicubic",
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    )
    loader = Loader(dataset, preprocessing, 1, wanted["workers"])
    rows = range(len(dataset))
    wants = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    with closing(loader.batches(wants[:1])) as first:
        next(first)
    watch = Stopwatch()
    with closing(loader.batches(wants)) as batches:
        done = sum(len(batch.rows) for batch in batches)
    watch.stop(done)


if __name__ == "__main__":
    main()
