"""What a backbone has seen already: images that it was fine-tuned on prove nothing any more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from featkit.errors import PlanError
from featkit.experiment.design import Design
from featkit.experiment.table import ImageTable
from featkit.plans import Plan

__all__ = ["has_seen", "refuse_seen"]


def has_seen(image_hash: NDArray[np.str_], trained_on: Sequence[str] | NDArray[np.str_]) -> bool:
    """Tell whether a backbone was fine-tuned on some of these images.

    Nothing that heads on its features hold out inside a budget is held out any more then.
    """
    return bool(np.isin(image_hash, trained_on).any())


def refuse_seen(
    plan: Plan,
    design: Design,
    image_hash: NDArray[np.str_],
    trained_on: Sequence[str] | NDArray[np.str_],
    *,
    backbone: str,
    external: ImageTable | None = None,
) -> None:
    """Refuse a design that tests a fine-tuned backbone on lesions that it was fine-tuned on.

    In a split by image, which leaks anyway, images are what counts.

    A budget is refused too where the backbone has seen labels beyond it: the score would be that
    of more labels than it says.

    Args:
        plan: Who is trained and tested on.
        design: Which training sets will be used.
        image_hash: Of the Plan's images, shape (len(plan),).
        trained_on: Hashes of the images that the backbone was fine-tuned on.
        backbone: Its name, for messages.
        external: The test images, where they are not the Plan's own folds.

    Raises:
        PlanError: A test lesion was trained on, or a budget does not hold all that was.
    """
    units = plan.units
    seen = set(units.of_row[np.isin(image_hash, trained_on)].tolist())
    if external is not None:
        mine = set(external.group[np.isin(external.image_hash, trained_on)].tolist())
        _refuse_tested(mine, len(set(external.group.tolist())), external.name, backbone)
    if not seen:
        return
    for cell in design.cells():
        if external is None:
            tested = set(units.of_row[plan.test_rows(cell.fold)].tolist())
            shared = {str(units.name[unit]) for unit in seen & tested}
            _refuse_tested(shared, len(tested), f"fold {cell.fold}", backbone)
        trained = plan.train_rows(cell.fold, cell.budget, cell.draw)
        beyond = seen - set(units.of_row[trained].tolist())
        if beyond:
            raise PlanError(
                f"{backbone} has seen more labels than the budget of {cell.budget:g}% holds",
                cause=f"it was fine-tuned on {len(seen):,} of these lesions, of which "
                f"{len(beyond):,} are not in draw {cell.draw} of fold {cell.fold}",
                remedy="Give the budgets, folds and draws that hold all of them, such as "
                "--budgets 100, or another backbone",
            )


def _refuse_tested(shared: set[str], tested: int, where: str, backbone: str) -> None:
    if shared:
        raise PlanError(
            f"{backbone} was fine-tuned on lesions that {where} tests on",
            cause=f"{len(shared):,} of its {tested:,} lesions, such as {min(shared)}, so the "
            "scores would be too high",
            remedy="Repeat the design of its own Run (folds, seed, --duplicates), test on other "
            "images with --test, or use another backbone",
        )
