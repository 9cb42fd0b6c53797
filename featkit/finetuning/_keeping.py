"""Keeping: the last good state of a training, and its file, written from time to time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from featkit.finetuning._checkpoint import Checkpoint

__all__ = ["Identity", "Keeper"]

_SAVE_EVERY_S = 20.0
"""What a crash may cost."""


@dataclass(frozen=True)
class Identity:
    """Which Run a training is for.

    Attributes:
        name: For messages.
        run: Digest of its key.
        plan: Fingerprint of its Plan.
        seed: Decides everything random.
    """

    name: str
    run: str
    plan: str
    seed: int


class Keeper:
    """Keeps the checkpoint of one training.

    Args:
        path: Its file.
        identity: Whose training it is.
        writes: Whether this process writes the file.
    """

    def __init__(self, path: Path, identity: Identity, *, writes: bool) -> None:
        self._path = path
        self.identity = identity
        self._writes = writes
        self._last: Checkpoint | None = None
        self._saved = time.perf_counter()

    def load(self) -> Checkpoint | None:
        """Return what an earlier attempt left, or None.

        Raises:
            TrainingError: It is damaged, of another Run or Plan, or of a newer featkit.
        """
        found = Checkpoint.load(self._path, run=self.identity.run, plan=self.identity.plan)
        if found is not None:
            self._last = found.copy()
        return found

    def take(self, checkpoint: Checkpoint) -> None:
        """Take the state after an epoch, which training may change: it is copied.

        Raises:
            StoreError: It is time to write it, and the disk is full or cannot be written.
        """
        self._last = checkpoint.copy()
        if time.perf_counter() - self._saved > _SAVE_EVERY_S:
            self.write()

    def write(self) -> Path | None:
        """Write the last good state, and return its file; None where no epoch ended well."""
        if self._last is None:
            return None
        if self._writes:
            self._last.save(self._path, run=self.identity.run, plan=self.identity.plan)
        self._saved = time.perf_counter()
        return self._path

    def forget(self) -> None:
        """Remove the file, and what was left of it by a process that was killed."""
        if self._writes:
            for path in (self._path, *self._path.parent.glob(f".{self._path.name}.*.tmp")):
                path.unlink(missing_ok=True)
