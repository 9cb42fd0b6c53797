"""One case of the benchmark: a network, and where everything of it lies."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

from benchmarks.harness import Settings
from benchmarks.material import Network, image_folder, weights_folder

__all__ = ["Job"]


class Job:
    """A network to be measured.

    Args:
        name: The benchmark's name for it.
        network: What it is.
        work: A temporary folder.
        settings: What was asked for.

    Attributes:
        weights: The folder of its weights, in timm's layout.
        trained: Whether they are trained ones.
        resize: The shorter side of an image after resizing, in pixels.
        crop: The side of the crop, in pixels.
        environment: Variables by which caches of compiled networks begin empty, in `work`.
    """

    def __init__(self, name: str, network: Network, work: Path, settings: Settings) -> None:
        self.name = name
        self.network = network
        self.settings = settings
        self.weights, self.trained = weights_folder(network, work)
        config = json.loads((self.weights / "config.json").read_text())["pretrained_cfg"]
        self.crop = int(config["input_size"][-1])
        self.resize = int(self.crop / config["crop_pct"])
        self.environment = caches_in(work / "cache")
        self._work = work
        self._numbers = count()

    def images(self, number: int) -> Path:
        """Return a folder of so many images."""
        return image_folder(number, self._work)

    def output(self, ending: str) -> Path:
        """Return a path where nothing was written yet."""
        return self._work / f"{self.name}-{next(self._numbers)}{ending}"


def caches_in(folder: Path) -> dict[str, str]:
    """Return variables that keep the caches of compiled networks in a folder."""
    return {"XDG_CACHE_HOME": str(folder), "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor")}
