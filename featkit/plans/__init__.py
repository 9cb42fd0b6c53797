"""Plans: who may be trained on and tested on what, made once and shared by all methods."""

from featkit.plans.budgets import check_budgets
from featkit.plans.difference import named_difference
from featkit.plans.groups import merge_groups
from featkit.plans.inner import inner_folds, validation_rows
from featkit.plans.leakage import has_siblings, leaks
from featkit.plans.making import make_plan
from featkit.plans.plan import Plan, Split, TrainingSet

__all__ = [
    "Plan",
    "Split",
    "TrainingSet",
    "check_budgets",
    "has_siblings",
    "inner_folds",
    "leaks",
    "make_plan",
    "merge_groups",
    "named_difference",
    "validation_rows",
]
