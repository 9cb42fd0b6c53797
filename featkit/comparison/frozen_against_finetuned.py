"""Frozen features against fine-tuning: paired, at every budget, without the winner's luck."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from featkit.comparison._crossing import crossings
from featkit.comparison._lesion_tests import lesion_tests
from featkit.comparison._scored import Scored, in_common
from featkit.comparison._sides import Pair, Sides, chosen_inside, sides_of
from featkit.comparison.comparison import Estimate
from featkit.comparison.contrasts import Contrast, FrozenAgainstFinetuned
from featkit.comparison.evidence import Evidence
from featkit.comparison.gathering import Grid
from featkit.evaluate import Difference, Metric, holm

__all__ = ["frozen_against_finetuned"]


def frozen_against_finetuned(
    evidence: Evidence, *, pair: tuple[str, str] | None = None
) -> FrozenAgainstFinetuned:
    """Compare both sides on every backbone that has them.

    Args:
        evidence: Runs and their comparison.
        pair: Methods of the declared pair, frozen and fine-tuned; None = `linear` and
            `finetune-full`, or the next of a fixed order where these were not trained.

    Raises:
        UsageError: No row of that side is of that method.
    """
    grid, scored = evidence.grid, evidence.contrasted
    sides = sides_of(grid, pair)
    declared = list(_declared(grid, sides))
    return FrozenAgainstFinetuned(
        declared=_contrasts(declared, scored),
        chosen=_contrasts(_chosen(grid, sides, scored.metric), scored),
        others=_contrasts(_others(grid, sides), scored),
        crossings=crossings(declared, scored),
        lesion_tests=lesion_tests(declared),
    )


def _declared(grid: Grid, sides: Sequence[Sides]) -> Iterator[Pair]:
    for side in sides:
        yield from _at_budgets(grid, side, side.finetuned[0], side.frozen[0])


def _others(grid: Grid, sides: Sequence[Sides]) -> Iterator[Pair]:
    for side in sides:
        for row in side.finetuned[1:]:
            yield from _at_budgets(grid, side, row, side.frozen[0])
        for row in side.frozen[1:]:
            yield from _at_budgets(grid, side, side.finetuned[0], row)


def _at_budgets(grid: Grid, side: Sides, finetuned: str, frozen: str) -> Iterator[Pair]:
    for budget in grid.budgets:
        shared = in_common(grid.runs(finetuned, budget), grid.runs(frozen, budget))
        yield Pair(side.backbone, budget, finetuned, frozen, *shared)


def _chosen(grid: Grid, sides: Sequence[Sides], metric: Metric) -> Iterator[Pair]:
    for side in sides:
        for budget in grid.budgets:
            tuned, light = (
                chosen_inside(grid, rows, budget, metric) for rows in (side.finetuned, side.frozen)
            )
            yield Pair(
                side.backbone,
                budget,
                f"{side.backbone} / fine-tuning, chosen",
                f"{side.backbone} / frozen, chosen",
                *in_common(tuned, light),
            )


def _contrasts(pairs: Iterable[Pair], scored: Scored) -> tuple[Contrast, ...]:
    """Test a family of pairs, leaving out those that share no Run."""
    made = [pair for pair in pairs if pair.tuned]
    found = [scored.difference(pair.tuned, pair.light) for pair in made]
    p_holm = holm(np.array([difference.p for difference in found]))
    return tuple(
        _contrast(pair, difference, float(p), scored.sign)
        for pair, difference, p in zip(made, found, p_holm, strict=True)
    )


def _contrast(pair: Pair, found: Difference, p_holm: float, sign: int) -> Contrast:
    return Contrast(
        backbone=pair.backbone,
        budget=pair.budget,
        train_lesions=pair.train_lesions,
        finetuned=pair.finetuned,
        frozen=pair.frozen,
        runs=len(pair.tuned),
        difference=Estimate(found.point, found.low, found.high),
        p=found.p,
        p_holm=p_holm,
        gain=sign * found.point,
    )
