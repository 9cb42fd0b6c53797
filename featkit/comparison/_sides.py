"""Which rows stand for frozen features and for fine-tuning, decided without the test set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.comparison._resampling import Runs
from featkit.comparison.gathering import Grid
from featkit.errors import UsageError
from featkit.evaluate import Metric
from featkit.runs import HeldOut

__all__ = ["Pair", "Sides", "chosen_inside", "sides_of"]

_FROZEN = ("linear", "mlp", "lightgbm")
_FINETUNED = ("finetune-full", "finetune-lp-ft", "finetune-last", "finetune-head")
"""Who stands for a side: the first that was trained. Named here, before any result."""


@dataclass(frozen=True)
class Sides:
    """The rows of one backbone.

    Attributes:
        backbone: Short name.
        frozen: Rows of heads, the declared one first.
        finetuned: Rows of fine-tuning, the declared one first.
    """

    backbone: str
    frozen: tuple[str, ...]
    finetuned: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """A fine-tuned and a frozen row of one backbone at one budget, on the Runs that both have.

    Attributes:
        backbone: Short name.
        budget: Percent of the training lesions.
        finetuned: Name of the row.
        frozen: Name of the row.
        tuned: Runs of the fine-tuned row, by (fold, draw).
        light: Runs of the frozen row, of the same folds and draws.
    """

    backbone: str
    budget: float
    finetuned: str
    frozen: str
    tuned: Runs
    light: Runs

    @property
    def train_lesions(self) -> float:
        """Mean number of training lesions."""
        return float(np.mean([run.train_lesions for run in self.light.values()]))


def sides_of(grid: Grid, pair: tuple[str, str] | None) -> list[Sides]:
    """Return the sides of each backbone that has both.

    Args:
        grid: The Runs.
        pair: Method of the declared frozen row and of the declared fine-tuned row, such as
            `("linear", "finetune-full")`; None = the first that was trained of a fixed order.

    Raises:
        UsageError: No row is of that method.
    """
    if pair:
        _check(grid, pair[0], frozen=True)
        _check(grid, pair[1], frozen=False)
    found = []
    for backbone in dict.fromkeys(grid.example(row).key.backbone for row in grid.methods):
        rows = [row for row in grid.methods if grid.example(row).key.backbone == backbone]
        frozen = [row for row in rows if grid.example(row).frozen]
        tuned = [row for row in rows if not grid.example(row).frozen]
        sides = (
            _declared_first(grid, frozen, pair[0] if pair else None, _FROZEN),
            _declared_first(grid, tuned, pair[1] if pair else None, _FINETUNED),
        )
        if all(sides):
            found.append(Sides(backbone, *sides))
    return found


def _check(grid: Grid, name: str, *, frozen: bool) -> None:
    runs = [grid.example(row) for row in grid.methods]
    known = dict.fromkeys(run.key.method for run in runs if run.frozen == frozen)
    if name not in known:
        side = "on frozen features" if frozen else "of fine-tuning"
        raise UsageError(
            f"no method {side} is {name!r}",
            cause=f"there are {', '.join(known) or 'none'}",
            remedy="Name a frozen method and a fine-tuned one, such as linear and finetune-full",
        )


def _declared_first(
    grid: Grid, rows: Sequence[str], named: str | None, order: Sequence[str]
) -> tuple[str, ...]:
    """Return the rows with the declared one first, none where the named one was not trained."""
    methods = {row: grid.example(row).key.method for row in rows}
    if named is not None and named not in methods.values():
        return ()
    places = {name: place for place, name in enumerate([named] if named else order)}
    return tuple(sorted(rows, key=lambda row: places.get(methods[row], len(places))))


def chosen_inside(grid: Grid, rows: Sequence[str], budget: float, metric: Metric) -> Runs:
    """Return, for each fold and draw, the Run of the row with the best held-out score.

    It is a method like any other: what it chooses by lies inside the budget, so its test score
    has no winner's luck in it.

    Args:
        grid: The Runs.
        rows: To choose from; those that lack a Run, or held-out predictions of one, do not stand.
        budget: Percent of the training lesions.
        metric: Decides.

    Returns:
        Runs by (fold, draw), none where no row stands.
    """
    standing = [row for row in rows if _stands(grid, row, budget, alone=len(rows) == 1)]
    if not standing:
        return {}
    worth = _worth(metric)
    return {
        key: max(
            (grid.runs(row, budget)[key] for row in standing), key=lambda run: worth(run.held_out)
        )
        for key in sorted(grid.runs(standing[0], budget))
    }


def _stands(grid: Grid, row: str, budget: float, *, alone: bool) -> bool:
    runs = grid.runs(row, budget)
    held_out = all(run.held_out is not None and len(run.held_out.label) for run in runs.values())
    return bool(runs) and (alone or (held_out and grid.complete(row, budget)))


def _worth(metric: Metric) -> Callable[[HeldOut | None], float]:
    """Return how good held-out predictions are, the first of equals before the others."""
    sign = 1 if metric.higher_is_better else -1

    def worth(held_out: HeldOut | None) -> float:
        if held_out is None:
            return -np.inf
        value: NDArray[np.float64] = metric(held_out.label, held_out.probabilities)
        return float(np.nan_to_num(sign * value[0], nan=-np.inf))

    return worth
