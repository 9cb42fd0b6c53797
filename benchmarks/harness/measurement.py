"""One measurement, and who can be measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

__all__ = ["Absent", "Contender", "Measurement"]


@dataclass(frozen=True)
class Measurement:
    """What one contender did once.

    Attributes:
        work: How much was done: images, fits or epochs.
        seconds: Wall time of the work; imports and loading of models are not in it.
        core_seconds: What all cores worked in that time, processes of its own included.
        setup_seconds: Imports and loading of models, before the work.
        process_seconds: The whole process, from its start to its end.
        peak_mib: The most memory that the process itself held.
        facts: What else the contender tells of itself, JSON-like.
    """

    work: float
    seconds: float
    core_seconds: float = 0.0
    setup_seconds: float = 0.0
    process_seconds: float = 0.0
    peak_mib: float = 0.0
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Return the work a second."""
        return self.work / self.seconds

    def to_dict(self) -> dict[str, object]:
        """Return the fields, JSON-like."""
        return asdict(self)


@dataclass(frozen=True)
class Contender:
    """One who can be measured.

    Attributes:
        name: A short name, the same in all tables.
        measure: Does so much work, and says how long it took.
        work: How much work a round gives it.
    """

    name: str
    measure: Callable[[int], Measurement]
    work: int


@dataclass(frozen=True)
class Absent:
    """A rival that could not be measured, and why: it keeps its row in the table."""

    name: str
    reason: str
