"""Contents: what the sections of a page are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from featkit.comparison import Analysis, Comparison, Grid, Leakage
from featkit.features import FeatureStore
from featkit.plans import Plan
from featkit.report.page.look import Look

__all__ = ["Contents"]


@dataclass(frozen=True, eq=False)
class Contents:
    """All that is known.

    Attributes:
        folders: Where the Runs lie.
        grid: The Runs.
        analysis: What they say.
        plan: Their design, or None where no folder holds it.
        stores: Feature files.
        thumbnails: Data URI of an image by its id.
        leakage: What the leak of a random split is worth, or None where it was not measured.
    """

    folders: Sequence[Path]
    grid: Grid
    analysis: Analysis
    plan: Plan | None = None
    stores: Sequence[FeatureStore] = ()
    thumbnails: Mapping[str, str] = field(default_factory=dict)
    leakage: Leakage | None = None

    @property
    def comparison(self) -> Comparison:
        """Scores with intervals."""
        return self.analysis.comparison

    @cached_property
    def look(self) -> Look:
        """How methods are called and drawn."""
        return Look(self.comparison, self.grid)

    @cached_property
    def leaders(self) -> tuple[str, ...]:
        """The best frozen and the best fine-tuned method at the largest budget."""
        first: dict[bool, str] = {}
        for cell in self.comparison.ranked():
            first.setdefault(cell.frozen, cell.method)
        return tuple(first[side] for side in sorted(first, reverse=True))
