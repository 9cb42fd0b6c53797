import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness import Spread, ratios

numbers = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=9)


@given(numbers)
def test_the_middle_is_the_median_and_the_ends_are_the_range(values):
    spread = Spread.of(values)
    assert spread.middle == pytest.approx(np.median(values))
    assert (spread.least, spread.most, spread.count) == (min(values), max(values), len(values))


@pytest.mark.parametrize("count", [2, 5])
def test_the_range_covers_the_median_as_often_as_it_says(count):
    drawn = np.random.default_rng(0).exponential(size=(40_000, count))
    covered = (drawn.min(axis=1) <= np.log(2)) & (np.log(2) <= drawn.max(axis=1))
    assert Spread.of(drawn[0].tolist()).coverage == pytest.approx(covered.mean(), abs=0.01)


def test_ratios_are_taken_within_a_round():
    # A round that slows down both says nothing about either.
    assert ratios([10, 1, 10], [5, 0.5, 5]) == Spread(2, 2, 2, 3)
    assert ratios([6, 8, 9], [3, 2, 3]) == Spread(3, 2, 4, 3)


def test_rounds_must_match():
    with pytest.raises(ValueError, match="shorter"):
        ratios([1, 2], [1])
    with pytest.raises(ValueError, match="at least one value"):
        ratios([], [])


def test_text():
    assert Spread.of([1234.5, 2.0, 3.25]).text() == "3.25 [2.00–1,234.50]"
    assert Spread.of([2.0]).text(1) == "2.0"
