"""Feature extraction by featkit, as its README says.

Arguments: `images` (folder), `weights` (folder in timm's layout), `out` (.h5), `device`; `engine`
and `precision` where they are not the default.
"""

from __future__ import annotations

import time
from pathlib import Path

import featkit
from benchmarks.contenders.stopwatch import Stopwatch, arguments


class Seen:
    """A progress listener that remembers when the first images were done, and the last."""

    def __init__(self) -> None:
        self.first = self.last = self.since = 0.0

    def start(self, task: str, *, total: float, done: float = 0, unit: str = "") -> None:
        """Do nothing."""

    def advance(self, amount: float, *, note: str = "") -> None:
        """Remember the time."""
        self.last = time.perf_counter()
        if self.first:
            self.since += amount
        else:
            self.first = self.last

    def finish(self) -> None:
        """Do nothing."""

    def rate(self) -> float | None:
        """Return images a second between the first ones and the last."""
        return self.since / (self.last - self.first) if self.since else None


def main() -> None:
    """Extract the features of all images into a store."""
    wanted = arguments()
    # Loaded when first used: here, so that no import falls into the measured time.
    extract = featkit.extract
    backbone = featkit.load_backbone(f"local-dir:{wanted['weights']}")

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
