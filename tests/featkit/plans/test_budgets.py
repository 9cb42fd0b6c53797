from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featkit.errors import UsageError
from featkit.plans import check_budgets
from featkit.plans.budgets import budget_size


def test_budgets_are_sorted_and_distinct():
    assert check_budgets([100, 1, 5, 1.0]) == (1.0, 5.0, 100.0)


@pytest.mark.parametrize("budget", [0, -1, 100.5, math.nan, math.inf])
def test_impossible_budget(budget):
    with pytest.raises(UsageError, match=f"budget {budget:g}: .* above 0 and at most 100"):
        check_budgets([5, budget])


def test_no_budget():
    with pytest.raises(UsageError, match="no budget"):
        check_budgets([])


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.integers(2, 10_000))
def test_sizes_are_monotone_and_within_what_there_is(one, two, available):
    small, large = sorted([one, two])
    assert 2 <= budget_size(small, available) <= budget_size(large, available) <= available
    assert budget_size(100, available) == available
