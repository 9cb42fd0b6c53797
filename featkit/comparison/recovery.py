"""How much of fine-tuning's gain over a plain head other rows recover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from featkit.comparison._resampling import estimate
from featkit.comparison._scored import Scored
from featkit.comparison.comparison import Estimate
from featkit.comparison.contrasts import Contrast
from featkit.comparison.evidence import Evidence
from featkit.comparison.gathering import Grid

__all__ = ["Recovery", "recoveries"]


@dataclass(frozen=True)
class Recovery:
    """A row's lead over the declared frozen row, as a share of the declared fine-tuned row's lead.

    Attributes:
        method: Row, such as a head on cached views.
        budget: Percent of the training lesions.
        frozen: The declared frozen row: share 0.
        finetuned: The declared fine-tuned row: share 1.
        share: With its 95% bootstrap interval.
    """

    method: str
    budget: float
    frozen: str
    finetuned: str
    share: Estimate


def recoveries(evidence: Evidence, declared: Sequence[Contrast]) -> Iterator[Recovery]:
    """Return the shares at each budget at which fine-tuning clearly gains, none elsewhere.

    A share of a gain that may be none means nothing, so the interval of the gain must lie above 0.

    Args:
        evidence: Runs and their comparison.
        declared: Contrasts of the declared pairs.
    """
    scored = evidence.contrasted
    for contrast in declared:
        ends = (contrast.difference.low, contrast.difference.high)
        if contrast.winner == "fine-tuned" and min(scored.sign * end for end in ends) > 0:
            yield from _at(evidence.grid, scored, contrast)


def _at(grid: Grid, scored: Scored, contrast: Contrast) -> Iterator[Recovery]:
    ends = (contrast.finetuned, contrast.frozen)
    tuned, light = (grid.runs(row, contrast.budget) for row in ends)
    for row in grid.methods:
        runs = grid.runs(row, contrast.budget)
        shared = runs.keys() & tuned.keys() & light.keys()
        same = grid.example(row).key.backbone == contrast.backbone
        if row in ends or not same or not shared:
            continue
        three = [{key: each[key] for key in sorted(shared)} for each in (runs, tuned, light)]
        point = [scored.point(each) for each in three]
        samples = [scored.samples(each) for each in three]
        share = (point[0] - point[2]) / (point[1] - point[2])
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = (samples[0] - samples[2]) / (samples[1] - samples[2])
        yield Recovery(
            row, contrast.budget, contrast.frozen, contrast.finetuned, estimate(share, shares)
        )
