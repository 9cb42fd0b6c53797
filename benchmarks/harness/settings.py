"""What whoever runs a benchmark asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contenders.stopwatch import cores
from benchmarks.harness.watching import Watcher

__all__ = ["Settings", "workshop"]


@dataclass(frozen=True)
class Settings:
    """How a benchmark is to be run.

    Attributes:
        watcher: Told how far it is.
        rounds: How often each contender is measured.
        quick: Seconds instead of minutes, to see that all works: the figures mean nothing.
        device: `cpu` or `cuda`.
        install: Rivals whose environment may be made if it is missing.
        networks: The backbones to extract with, for benchmarks that have several.
        seconds: How long a contender is to take in a round, where work can be chosen; None = the
            benchmark's own time.
        model: Folder of a trained model, for benchmarks that use one; None = one made for it.
        images: Folder of photographs for it; None = the usual ones.
    """

    watcher: Watcher
    rounds: int = 5
    quick: bool = False
    device: str = "cpu"
    install: frozenset[str] = frozenset()
    networks: tuple[str, ...] = ()
    seconds: float | None = None
    model: Path | None = None
    images: Path | None = None

    @property
    def threads(self) -> int:
        """Threads of whatever is fitted: all cores, or one where time does not matter."""
        return 1 if self.quick else cores()

    def told(self) -> dict[str, object]:
        """Return what the report says of them."""
        return {"rounds": self.rounds, "quick": self.quick, "device": self.device}


@contextmanager
def workshop() -> Iterator[Path]:
    """Give a temporary folder, on a real disk where /tmp may lie in memory."""
    with TemporaryDirectory(prefix="featkit-benchmark-", dir="/var/tmp") as folder:
        yield Path(folder)
