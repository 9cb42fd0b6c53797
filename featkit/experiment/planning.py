"""From a table of images and a design to the Plan, and to the test set of each fold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featkit.errors import UsageError
from featkit.experiment.design import Design
from featkit.experiment.table import ImageTable
from featkit.plans import Plan, make_plan
from featkit.runs import TestSet

__all__ = ["fold_test", "plan_of"]


def plan_of(table: ImageTable, design: Design) -> Plan:
    """Return the Plan of a design on these images; its rows are the table's.

    Raises:
        UsageError: Duplicates of which no image is in the table.
        PlanError: The data cannot support the design.
    """
    named = {name for pair in design.duplicates for name in pair}
    if named and named.isdisjoint(table.image_id.tolist()):
        raise UsageError(
            "--duplicates",
            cause=f"none of its images, such as {min(named)}, is in {table.name}",
            remedy="Give the file that `data check --duplicates` wrote for these images",
        )
    return make_plan(
        image_id=table.image_id,
        label=table.label,
        group=table.group,
        classes=table.classes,
        image_hash=table.image_hash,
        duplicates=design.duplicates,
        official=table.official,
        split=design.split,
        folds=design.folds,
        seed=design.seed,
    )


def fold_test(plan: Plan, fold: int) -> tuple[NDArray[np.intp], TestSet]:
    """Return the rows that a fold tests on, and what Runs carry of them."""
    rows = plan.test_rows(fold)
    name = "official test set" if plan.split == "official" else "held-out fold"
    return rows, TestSet(name, plan.image_id[rows], plan.group[rows], plan.label[rows])
