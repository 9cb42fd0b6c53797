from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from featkit.errors import DataError
from featkit.evaluate import holm


def by_definition(p: list[float]) -> list[float]:
    """Smallest level at which the step-down procedure rejects each hypothesis."""
    order = sorted(range(len(p)), key=p.__getitem__)
    return [
        min(1.0, max((len(p) - rank) * p[order[rank]] for rank in range(order.index(index) + 1)))
        for index in range(len(p))
    ]


def rejects(p: list[float], level: float) -> set[int]:
    """Holm's procedure in words: go up from the smallest p until one is too large."""
    rejected: set[int] = set()
    for rank, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        if p[index] > level / (len(p) - rank):
            break
        rejected.add(index)
    return rejected


@given(st.lists(st.floats(0, 1), max_size=8))
def test_equals_the_definition(p):
    np.testing.assert_allclose(holm(p), by_definition(p))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8), st.sampled_from([0.01, 0.05, 0.2]))
def test_rejects_what_the_procedure_rejects(thousandths, level):
    p = [number / 1000 for number in thousandths]
    corrected = holm(p)
    # Away from the level itself, where rounding decides.
    for index in np.flatnonzero(np.abs(corrected - level) > 1e-9):
        assert (corrected[index] < level) == (index in rejects(p, level))


@pytest.mark.parametrize("tests", [1, 2, 7, 30])
def test_equals_statsmodels(tests):
    p = np.round(np.random.default_rng(tests).random(tests) ** 3, 2)
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])


def test_known_values():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def test_tests_that_were_not_made_do_not_count():
    found = holm([0.01, np.nan, 0.04])
    np.testing.assert_allclose(found, [0.02, np.nan, 0.04])
    assert len(holm([])) == 0


def test_input_is_not_changed():
    p = np.array([0.04, 0.01])
    holm(p)
    assert p.tolist() == [0.04, 0.01]


@pytest.mark.parametrize("p", [[1.2], [-0.1, 0.5], [[0.1, 0.2]]])
def test_what_is_no_p_value(p):
    with pytest.raises(DataError, match="from 0 to 1"):
        holm(p)
