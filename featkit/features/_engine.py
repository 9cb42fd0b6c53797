"""An engine: whoever makes the parts of an extraction, this process or the workers of a cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import torch

from featkit.features._choosing import Faithfulness
from featkit.features._filling import Filling
from featkit.features._networks import Way
from featkit.features._trial import Sample
from featkit.progress import Progress

__all__ = ["Engine", "Worked"]


@dataclass(frozen=True)
class Worked:
    """What an engine tells of its work.

    Attributes:
        failures: How many rows failed, by reason, those of earlier attempts included.
        device: The device's name for people.
        at_once: How many processes made parts at the same time.
        cost: What else the feature file says of it, JSON-like.
    """

    failures: Counter[str]
    device: str
    at_once: int = 1
    cost: Mapping[str, object] = field(default_factory=dict)


class Engine(AbstractContextManager["Engine"], Protocol):
    """Makes the parts of one extraction while its context is entered."""

    @property
    def device(self) -> torch.device:
        """A device of the kind that the engine works on; it need not be in this computer."""

    def choose(
        self, precision: str, sample: Sample, batch_size: int
    ) -> tuple[Way, Faithfulness | None]:
        """Choose how to compute (see `choose_way`)."""

    def fill(
        self, filling: Filling, way: Way, batch_size: int, progress: Progress, *, task: str
    ) -> Worked:
        """Make all parts that are missing, and shards of them where there are to be some.

        Raises:
            StoreError: A part cannot be written.
            BackboneError: A single image does not fit into memory.
        """
