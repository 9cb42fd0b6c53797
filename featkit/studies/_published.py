"""Published numbers beside the study's own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from featkit.comparison import CellResult, Comparison, Grid
from featkit.evaluate import METRICS
from featkit.runs import RunStore
from featkit.studies._steps import TrainStep
from featkit.studies.schema import Published

__all__ = ["Found", "look_up", "rows_of_steps"]


@dataclass(frozen=True)
class Found:
    """What an arm has where a number was published.

    Attributes:
        methods: The methods that it is the score of: one, or all that were averaged.
        candidates: How many methods it was picked from.
        value: The score in the published metric.
        low: Lower end of its 95% interval, NaN for a mean over methods.
        high: Upper end.
        balanced_accuracy: Of the same methods.
        runs: Runs of each method.
    """

    methods: tuple[str, ...]
    candidates: int
    value: float
    low: float
    high: float
    balanced_accuracy: float
    runs: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-like values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Found:
        """Return what `to_dict` was made of; JSON's null is no number."""
        values: dict[str, Any] = {
            name: math.nan if value is None else value for name, value in fields.items()
        }
        values["methods"] = tuple(values["methods"])
        return cls(**values)


def rows_of_steps(grid: Grid, steps: Sequence[TrainStep]) -> dict[TrainStep, tuple[str, ...]]:
    """Return the rows of a grid that each step's Runs are in."""
    row = {
        run.key.digest: method for (method, _), runs in grid.cells.items() for run in runs.values()
    }
    return {
        step: tuple(dict.fromkeys(row[run.key.digest] for run in RunStore(step.folder)))
        for step in steps
    }


def look_up(
    published: Published,
    comparison: Comparison,
    rows: Mapping[TrainStep, tuple[str, ...]],
) -> Found | None:
    """Return what an arm has where a number was published; None where it has nothing.

    Args:
        published: The number.
        comparison: Of the arm.
        rows: The comparison's rows of each step of the arm.
    """
    meant = [step for step in rows if published.backbone in {None, step.backbone}]
    of_section = [step for step in meant if published.section in {None, step.section_name}]
    groups: dict[str, list[CellResult]] = {}
    for step in of_section or meant:
        found = [comparison.cell(method, published.budget) for method in rows[step]]
        groups.setdefault(step.backbone, []).extend(cell for cell in found if cell)
    metric = published.metric
    best = [_best(cells, metric) for cells in groups.values() if cells]
    candidates = sum(len(cells) for cells in groups.values())
    if not best:
        return None
    if published.pick == "best":
        return _found([_best(best, metric)], metric, candidates)
    return _found(best, metric, candidates)


def _best(cells: Sequence[CellResult], metric: str) -> CellResult:
    sign = 1 if METRICS[metric].higher_is_better else -1
    return max(cells, key=lambda cell: sign * cell.scores[metric].value)


def _found(cells: Sequence[CellResult], metric: str, candidates: int) -> Found:
    def mean(name: str) -> float:
        return sum(cell.scores[name].value for cell in cells) / len(cells)

    single = cells[0].scores[metric] if len(cells) == 1 else None
    return Found(
        methods=tuple(cell.method for cell in cells),
        candidates=candidates,
        value=mean(metric),
        low=single.low if single else math.nan,
        high=single.high if single else math.nan,
        balanced_accuracy=mean("balanced_accuracy"),
        runs=min(cell.runs for cell in cells),
    )
