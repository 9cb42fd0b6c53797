import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featkit.comparison._crossing import crossing_budget, interval_of_places

BUDGETS = (1.0, 10.0, 100.0)


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ((0.1, 0.2, 0.3), 0.0),
        ((-0.3, -0.2, -0.1), math.inf),
        ((-0.3, -0.2, 0.0), math.inf),  # a tie is no lead
        ((-0.2, 0.2, 0.3), math.sqrt(10)),
        ((0.2, -0.1, 0.3), 10 ** (1 + 0.25)),  # the last crossing counts
        ((0.2, -0.1, -0.3), math.inf),
        ((0.0, 0.1, 0.2), 1.0),
    ],
)
def test_where_curves_cross(gains, expected):
    assert crossing_budget(BUDGETS, [gains])[0] == pytest.approx(expected)


def test_an_unknown_gain_gives_an_unknown_crossing():
    assert np.isnan(crossing_budget(BUDGETS, [(0.1, np.nan, 0.2)])[0])


gain = st.floats(-1, 1).filter(lambda value: value == 0 or abs(value) > 1e-6)


@given(st.lists(st.tuples(gain, gain, gain), min_size=1, max_size=5))
def test_fine_tuning_is_ahead_from_the_crossing_on_and_not_just_before(rows):
    """Oracle: walk along each curve, interpolated at many budgets."""
    budgets = np.geomspace(1, 100, 2001)
    for row, found in zip(rows, crossing_budget(BUDGETS, rows), strict=True):
        values = np.interp(np.log(budgets), np.log(BUDGETS), row)
        behind = budgets[values <= 1e-12]
        if found == 0:
            assert min(row) > 0
        elif np.isinf(found):
            assert row[-1] <= 0
        else:
            assert behind[-1] == pytest.approx(found, rel=0.01)


def test_the_interval_has_ends_that_occur():
    places = np.array([0.0] * 3 + [5.0] * 90 + [np.inf] * 7 + [np.nan])
    assert interval_of_places(places) == (0.0, np.inf)
    assert interval_of_places(np.array([4.0, 4.0, 4.0])) == (4.0, 4.0)
    assert all(np.isnan(interval_of_places(np.array([np.nan]))))
