"""What a backbone has seen already: images that it was fine-tuned on prove nothing any more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from featkit.errors import PlanError
from featkit.experiment.design import Design
from featkit.experiment.table import ImageTable
from featkit.plans import Plan

__all__ = ["refuse_seen"]


def refuse_seen(
    plan: Plan,
    design: Design,
    pixel_hash: NDArray[np.str_],
    trained_on: Sequence[str] | NDArray[np.str_],
    *,
    backbone: str,
    external: ImageTable | None = None,
) -> None:
    """Refuse a design that tests a fine-tuned backbone on lesions that it was fine-tuned on.

    A budget is refused too where the backbone has seen labels beyond it: the score would be that
    of more labels than it says.

    Args:
        plan: Who is trained and tested on.
        design: Which training sets will be used.
        pixel_hash: Of the Plan's images, shape (len(plan),).
        trained_on: Hashes of the images that the backbone was fine-tuned on.
        backbone: Its name, for messages.
        external: The test images, where they are not the Plan's own folds.

    Raises:
        PlanError: A test lesion was trained on, or a budget does not hold all that was.
    """
    seen = set(plan.group[np.isin(pixel_hash, trained_on)].tolist())
    if external is not None:
        mine = set(external.group[np.isin(external.pixel_hash, trained_on)].tolist())
        _refuse_tested(mine, set(external.group.tolist()), external.name, backbone)
    if not seen:
        return
    for cell in design.cells():
        if external is None:
            tested = set(plan.group[plan.test_rows(cell.fold)].tolist())
            _refuse_tested(seen & tested, tested, f"fold {cell.fold}", backbone)
        trained = plan.train_rows(cell.fold, cell.budget, cell.draw)
        beyond = seen - set(plan.group[trained].tolist())
        if beyond:
            raise PlanError(
                f"{backbone} has seen more labels than the budget of {cell.budget:g}% holds",
                cause=f"it was fine-tuned on {len(seen):,} of these lesions, of which "
                f"{len(beyond):,} are not in draw {cell.draw} of fold {cell.fold}",
                remedy="Give the budgets, folds and draws that hold all of them, such as "
                "--budgets 100, or another backbone",
            )


def _refuse_tested(shared: set[str], tested: set[str], where: str, backbone: str) -> None:
    if shared:
        raise PlanError(
            f"{backbone} was fine-tuned on lesions that {where} tests on",
            cause=f"{len(shared):,} of its {len(tested):,} lesions, such as {min(shared)}, so the "
            "scores would be too high",
            remedy="Repeat the design of its own Run (folds, seed, --duplicates), test on other "
            "images with --test, or use another backbone",
        )
