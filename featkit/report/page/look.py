"""Look: which backbone a method belongs to, what it is called there, and how it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from featkit.comparison import Comparison, Grid
from featkit.naming import row_parts
from featkit.report.charts import Mark, swatch
from featkit.report.page.parts import Legend

__all__ = ["Look"]


class Look:
    """Names and marks of methods, the same in every chart.

    A kind of method (`linear`, `finetune-full`) keeps its mark whatever the backbone. Marks of
    fine-tuned methods are hollow.

    Args:
        comparison: Names the methods.
        grid: Says what they are.
    """

    def __init__(self, comparison: Comparison, grid: Grid) -> None:
        self._methods = comparison.methods
        self._grid = grid

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """What methods are called beside their backbone, in the table's order."""
        frozen_first = sorted(self._methods, key=lambda name: not self.frozen(name))
        return tuple(dict.fromkeys(self.kind(name) for name in frozen_first))

    @cached_property
    def backbones(self) -> dict[str, list[str]]:
        """The methods of each backbone."""
        found: dict[str, list[str]] = {}
        for name in self._methods:
            found.setdefault(self.backbone(name), []).append(name)
        return found

    def backbone(self, method: str) -> str:
        """Return the short name of a method's backbone."""
        return self._grid.example(method).key.backbone

    def kind(self, method: str) -> str:
        """Return the method's name without its backbone."""
        return row_parts(method)[1]

    def frozen(self, method: str) -> bool:
        """Return whether the method's backbone stayed as it was."""
        return self._grid.example(method).frozen

    def name(self, method: str) -> str:
        """Return the method's name, with the backbone only where there are several."""
        return self.kind(method) if len(self.backbones) == 1 else method

    def mark(self, method: str) -> Mark:
        """Return how the method is drawn."""
        return Mark(self.kinds.index(self.kind(method)), hollow=not self.frozen(method))

    def legend(self, methods: Sequence[str]) -> list[Legend]:
        """Return the marks of these methods' kinds, each once."""
        first = {self.kind(method): method for method in reversed(methods)}
        return [
            Legend(swatch(self.mark(first[kind])), kind) for kind in self.kinds if kind in first
        ]
