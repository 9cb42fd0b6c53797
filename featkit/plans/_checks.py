"""What every Plan promises, asserted rather than hoped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featkit.errors import PlanError
from featkit.plans.budgets import MIN_LESIONS
from featkit.plans.leakage import IMAGE_SPLITS

if TYPE_CHECKING:
    from featkit.plans.plan import Plan

__all__ = ["check_plan"]

_BUDGETS = (1.0, 10.0, 50.0, 100.0)
"""A budget is a prefix of one order, so that a few of them stand for all."""


def check_plan(plan: Plan) -> None:
    """Assert the properties of a Plan.

    Raises:
        PlanError: One of them does not hold.
    """
    if plan.split not in IMAGE_SPLITS:
        _check_sides(plan)
    for fold in range(plan.folds):
        _check_test(plan, fold)
        _check_training(plan, fold)


def _check_sides(plan: Plan) -> None:
    rows = plan.label >= 0
    group, fold = plan.group[rows], plan.fold_of[rows]
    name, index = np.unique(group, return_inverse=True)
    lowest = np.full(len(name), np.iinfo(np.int16).max, dtype=np.int16)
    highest = np.full(len(name), -1, dtype=np.int16)
    np.minimum.at(lowest, index, fold)
    np.maximum.at(highest, index, fold)
    split = name[lowest != highest]
    if len(split):
        _broken(f"lesion {split[0]} is on two sides of the split", f"{len(split)} such lesion(s)")


def _check_test(plan: Plan, fold: int) -> None:
    rows = plan.test_rows(fold)
    if not len(rows):
        _broken(f"test fold {fold} is empty", "no image is tested in it")
    # An official test set is what it is; scores leave out a class that it does not show.
    if plan.split != "official":
        present = np.bincount(plan.label[rows], minlength=len(plan.classes)) > 0
        for number in np.flatnonzero(~present):
            _broken(f"test fold {fold} has no image of class {plan.classes[number]}", "unbalanced")


def _check_training(plan: Plan, fold: int) -> None:
    test = plan.test_rows(fold)
    smaller = np.array([], dtype=np.intp)
    for budget in _BUDGETS:
        rows = plan.train_rows(fold, budget, draw=0)
        where = f"the training set of fold {fold} at {budget:g}%"
        if np.intersect1d(rows, test).size:
            _broken(f"{where} holds test images", "training and test overlap")
        if plan.split == "random-clean" and np.isin(plan.group[rows], plan.group[test]).any():
            _broken(f"{where} holds images of tested lesions", "it must not leak")
        if np.setdiff1d(smaller, rows).size:
            _broken(f"{where} lacks images of a smaller budget", "budgets are not nested")
        counts = plan.units.count_by_class(rows)
        if counts.min() < MIN_LESIONS:
            name = plan.classes[int(counts.argmin())]
            _broken(f"{where} has {counts.min()} lesion(s) of class {name}", "too few to learn")
        smaller = rows


def _broken(what: str, cause: str) -> None:
    raise PlanError(
        f"the plan does not hold: {what}",
        cause=cause,
        remedy="Make the plan again from the data, with another --seed or fewer --folds",
    )
