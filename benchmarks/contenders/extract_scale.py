"""featkit's extraction of many images, with when its last image was done.

Arguments: `images` (folder), `backbone` (spec), `image_size` (px or null), `out` (.h5), `device`.
"""

from __future__ import annotations

import time
from pathlib import Path

import featkit
from benchmarks.contenders.seen import Seen
from benchmarks.contenders.stopwatch import Stopwatch, arguments


def main() -> None:
    """Extract the features of all images into a store."""
    wanted = arguments()
    out, progress = Path(wanted["out"]), Seen()
    extract = featkit.extract
    backbone = featkit.load_backbone(wanted["backbone"], image_size=wanted["image_size"])

    watch = Stopwatch()
    start = time.perf_counter()
    dataset = featkit.load_dataset(f"folder:{wanted['images']}")
    known = dataset.fingerprint  # extraction asks for it first, and it is kept
    listed = time.perf_counter()
    store = extract(dataset, backbone, out, device=wanted["device"], progress=progress)
    end = time.perf_counter()
    watch.stop(
        len(store),
        listing_s=listed - start,
        after_last_image_s=end - progress.last,
        bytes=out.stat().st_size,
        feature_bytes=len(store) * store.shape[1] * store.shape[2] * store.dtype.itemsize,
        dimension=store.shape[2],
        dtype=str(store.dtype),
        dataset=known,
    )


if __name__ == "__main__":
    main()
