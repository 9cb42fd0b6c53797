"""State: what changes from epoch to epoch beside weights, and when training ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

__all__ = ["State"]


@dataclass(eq=False)
class State:
    """How far a training is, and what its inner validation said.

    Attributes:
        epoch: Epochs that are done.
        best_epoch: The epoch whose weights are kept, from 1; 0 = none yet.
        losses: Mean training loss of each epoch.
        scores: Score of each epoch, and what decides between equal ones; more is better. Empty
            tuples where no image was held out: then the last epoch is the best.
        chosen: What else was chosen inside the budget.
        wall_s: Seconds so far.
        device_s: Device seconds so far.
    """

    epoch: int = 0
    best_epoch: int = 0
    losses: list[float] = field(default_factory=list)
    scores: list[tuple[float, ...]] = field(default_factory=list)
    chosen: dict[str, object] = field(default_factory=dict)
    wall_s: float = 0.0
    device_s: float = 0.0

    def judged(self, loss: float, score: tuple[float, ...]) -> bool:
        """Take in an epoch, and tell whether it is the best so far."""
        best = self.best_epoch == 0 or not score or score > self.scores[self.best_epoch - 1]
        self.epoch += 1
        self.losses.append(loss)
        self.scores.append(score)
        if best:
            self.best_epoch = self.epoch
        return best

    def ended(self, *, planned: int, patience: int) -> bool:
        """Tell whether training is over: all epochs done, or too many without a better one."""
        waited = self.epoch - self.best_epoch
        return self.epoch >= planned or bool(patience and waited >= patience)

    def spend(self, wall_s: float, device_s: float) -> None:
        """Add to the cost."""
        self.wall_s += wall_s
        self.device_s += device_s

    def record(self, *, planned: int) -> dict[str, object]:
        """Return, JSON-like, what was chosen and by which scores."""
        return {
            **self.chosen,
            "epoch": self.best_epoch,
            "epochs": self.epoch,
            "epochs_planned": planned,
            "losses": [round(loss, 5) for loss in self.losses],
            "scores": [round(score[0], 5) if score else None for score in self.scores],
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-like values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Self:
        """Return the state that `to_dict` wrote down, among other facts."""
        values = {each.name: facts[each.name] for each in fields(cls)}
        return cls(**{**values, "scores": [tuple(score) for score in values["scores"]]})
