"""Label budgets: percentages of the training lesions, as prefixes of one order."""

from __future__ import annotations

from collections.abc import Iterable

from featkit.errors import UsageError

__all__ = ["MIN_LESIONS", "budget_size", "check_budgets"]

MIN_LESIONS = 2
"""Lesions of each class in the smallest training set: one to fit on and one to choose with."""


def check_budgets(budgets: Iterable[float]) -> tuple[float, ...]:
    """Return the budgets in ascending order, each once.

    Args:
        budgets: Percentages of the training lesions.

    Raises:
        UsageError: There is none, or one is not above 0 and at most 100.
    """
    distinct = {float(budget) for budget in budgets}
    # NaN fails both comparisons, so it is refused here too.
    wrong = [budget for budget in distinct if not 0 < budget <= 100]
    if wrong or not distinct:
        raise UsageError(
            f"budget {wrong[0]:g}" if wrong else "no budget",
            cause="a budget is a percentage of the training lesions, above 0 and at most 100",
            remedy="Give percentages such as --budgets 1,5,25,100",
        )
    return tuple(sorted(distinct))


def budget_size(budget: float, available: int) -> int:
    """Return how many of a class's training lesions a budget buys.

    It never falls as the budget grows, hence budgets that take prefixes of one order are nested.

    Args:
        budget: Percentage of the training lesions, above 0 and at most 100.
        available: Training lesions of the class.
    """
    return min(available, max(MIN_LESIONS, round(budget * available / 100)))
