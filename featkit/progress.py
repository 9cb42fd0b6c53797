"""How long work tells how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol

__all__ = ["NoProgress", "Progress"]


class Progress(Protocol):
    """A listener to one long task at a time."""

    def start(self, task: str, *, total: float, done: float = 0, unit: str = "") -> None:
        """Begin a task of `total` units, `done` of which an earlier attempt did."""

    def advance(self, amount: float, *, note: str = "") -> None:
        """Report that `amount` more units are done; `note` stands beside the bar."""

    def finish(self) -> None:
        """End the task."""


class NoProgress:
    """Listens to nothing: the default of every library function."""

    def start(self, task: str, *, total: float, done: float = 0, unit: str = "") -> None:
        """Do nothing."""

    def advance(self, amount: float, *, note: str = "") -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""
