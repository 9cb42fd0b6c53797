"""When to stop a training that goes on in rounds."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Stopping"]


@dataclass
class Stopping:
    """A record of validation losses, round by round."""

    patience: int
    """Rounds without a lower loss after which it is over."""
    losses: list[float] = field(default_factory=list)

    def record(self, loss: float) -> None:
        """Add the loss after one more round."""
        self.losses.append(loss)

    @property
    def rounds(self) -> int:
        """Rounds so far."""
        return len(self.losses)

    @property
    def best(self) -> int:
        """The number of rounds (from 1) after which the loss was lowest."""
        return min(range(self.rounds), key=self.losses.__getitem__) + 1

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return self.rounds > 0 and self.rounds - self.best >= self.patience
