"""Feature extraction by featkit, as its README says.

Arguments: `images` (folder), `weights` (folder in timm's layout), `out` (.h5), `device`;
`engine`, `precision` and `decoder` where they are not the default.
"""

from __future__ import annotations

from pathlib import Path

import featkit
from benchmarks.contenders.seen import Seen
from benchmarks.contenders.stopwatch import Stopwatch, arguments


def main() -> None:
    """Extract the features of all images into a store."""
    wanted = arguments()
    # Loaded when first used: here, so that no import falls into the measured time.
    extract = featkit.extract
    decoder = wanted.get("decoder", "cpu")
    backbone = featkit.load_backbone(f"local-dir:{wanted['weights']}", decoder=decoder)

    watch = Stopwatch()
    dataset = featkit.load_dataset(f"folder:{wanted['images']}")
    options = {name: wanted[name] for name in ("engine", "precision") if name in wanted}
    seen = Seen()
    store = extract(
        dataset,
        backbone,
        Path(wanted["out"]),
        device=wanted["device"],
        progress=seen,
        **options,
    )
    told = {name: value for name, value in store.attributes.items() if isinstance(value, str)}
    watch.stop(len(store), store=told, rate_between=seen.rate())


if __name__ == "__main__":
    main()
