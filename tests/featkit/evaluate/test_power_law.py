from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit, nnls

from featkit.errors import DataError
from featkit.evaluate import PowerLaw, fit_power_law
from featkit.evaluate._power_fit import fit_rows

N = np.array([75.0, 150, 375, 750, 1900, 3700, 7500])


def curve(n, a, b, c):
    return a * n**-b + c


@given(fall=st.floats(0.05, 0.6), b=st.floats(0.1, 1.5), c=st.floats(0.0, 0.35))
@settings(max_examples=60, deadline=None)
def test_recovers_the_law(fall, b, c):
    """`fall` is the part of the error at the smallest n that labels remove."""
    law = PowerLaw(fall * 75**b, b, c)
    found = fit_power_law(N, law(N))
    np.testing.assert_allclose([found.a, found.b], [law.a, law.b], rtol=1e-3)
    assert found.c == pytest.approx(c, abs=1e-5)
    np.testing.assert_allclose(found(N), law(N), atol=1e-8)


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_fits_noise_as_well_as_scipy(seed):
    rng = np.random.default_rng(seed)
    truth = curve(N, *rng.uniform([0.5, 0.1, 0.0], [3, 0.8, 0.2]))
    error = np.clip(truth + rng.normal(0, 0.01, 7), 0, 1)
    bounds = ([0, 0.01, 0], [np.inf, 2, 1])
    start = [1, 0.4, error.min() / 2]
    oracle, _ = curve_fit(curve, N, error, p0=start, bounds=bounds, maxfev=20_000)
    loss = np.sum((fit_power_law(N, error)(N) - error) ** 2)
    assert loss <= np.sum((curve(N, *oracle) - error) ** 2) + 1e-10


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_scipy(weighted):
    rng = np.random.default_rng(0)
    error = curve(N, 2.0, 0.4, 0.1) + rng.normal(0, 0.003, 7)
    weights = rng.uniform(0.2, 5, 7) if weighted else np.ones(7)
    oracle, _ = curve_fit(
        curve, N, error, p0=[1, 0.5, 0.05], sigma=1 / np.sqrt(weights), xtol=1e-12, maxfev=20_000
    )
    found = fit_power_law(N, error, weights=weights)
    np.testing.assert_allclose([found.a, found.b, found.c], oracle, rtol=1e-5)


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_and_c_are_the_non_negative_least_squares(seed):
    """Also where the best line would have a negative part."""
    rng = np.random.default_rng(seed)
    error, weights = rng.random(7), rng.uniform(0.1, 1, 7)
    found = fit_power_law(N, error, weights=weights)
    root = np.sqrt(weights)
    design = np.column_stack([(N / 750) ** -found.b, np.ones(7)])
    (a, c), _ = nnls(design * root[:, None], error * root)
    np.testing.assert_allclose([found.a * 750**-found.b, found.c], [a, c], atol=1e-9)


def test_each_row_is_fitted_by_itself(monkeypatch):
    errors = np.random.default_rng(0).random((10, 7))
    laws = fit_rows(N, errors, np.ones(7))
    monkeypatch.setattr("featkit.evaluate._inputs._CHUNK_BYTES", 3 * 8 * 41 * 7)
    in_chunks = fit_rows(N, errors, np.ones(7))
    for row, error in enumerate(errors):
        alone = fit_power_law(N, error)
        for law in (laws, in_chunks):
            assert (law.a[row], law.b[row], law.c[row]) == pytest.approx(
                (alone.a, alone.b, alone.c), rel=1e-6
            )


def test_unit_of_n_does_not_matter():
    error = curve(N, 2.0, 0.4, 0.1) + np.random.default_rng(0).normal(0, 0.005, 7)
    lesions, thousands = fit_power_law(N, error), fit_power_law(N / 1000, error)
    assert (thousands.b, thousands.c) == pytest.approx((lesions.b, lesions.c), rel=1e-5)
    assert thousands.a == pytest.approx(lesions.a * 1000**-lesions.b, rel=1e-5)


def test_order_of_budgets_does_not_matter():
    error = curve(N, 2.0, 0.4, 0.1) + np.random.default_rng(0).normal(0, 0.005, 7)
    there, back = fit_power_law(N, error), fit_power_law(N[::-1], error[::-1])
    assert (there.a, there.b, there.c) == pytest.approx((back.a, back.b, back.c), rel=1e-5)


def test_error_that_rises_is_constant():
    found = fit_power_law(N, np.linspace(0.2, 0.4, 7))
    assert (found.a, found.c) == (0.0, pytest.approx(0.3))


def test_reach_undoes_the_law():
    law = PowerLaw(2.0, 0.4, 0.1)
    assert law.reach(float(law(1234.0))) == pytest.approx(1234)
    assert law.reach(0.1) == law.reach(0.05) == np.inf
    assert PowerLaw(2.0, 0.01, 0.1).reach(0.1 + 1e-9) == np.inf


def test_errors_outside_by_rounding_are_taken():
    found = fit_power_law([1, 2, 4], [1 + 1e-12, 0.5, -1e-12])
    exact = fit_power_law([1, 2, 4], [1, 0.5, 0])
    assert (found.a, found.b, found.c) == pytest.approx((exact.a, exact.b, exact.c), rel=1e-6)


@pytest.mark.parametrize(
    ("n", "error", "weights", "message"),
    [
        ([1, 2], [0.2, 0.1], None, "at least three"),
        ([], [], None, "at least three"),
        ([1, 2, 2], [0.3, 0.2, 0.1], None, "distinct numbers above 0"),
        ([0, 1, 2], [0.3, 0.2, 0.1], None, "distinct numbers above 0"),
        ([1, 2, np.nan], [0.3, 0.2, 0.1], None, "distinct numbers above 0"),
        ([1, 2, 3], [0.3, 0.2], None, "not one for each"),
        ([[1, 2, 3]], [0.3, 0.2, 0.1], None, "not one for each"),
        ([1, 2, 3], [[0.3, 0.2, 0.1]], None, "not one for each"),
        ([1, 2, 3], [0.3, 0.2, np.nan], None, "from 0 to 1"),
        ([1, 2, 3], [30, 20, 10], None, "from 0 to 1"),
        ([1, 2, 3], [0.3, 0.2, 0.1], [1, 1], "not one for each"),
        ([1, 2, 3], [0.3, 0.2, 0.1], [1, 1, 0], "weight is not a number above 0"),
        ([1, 2, 3], [0.3, 0.2, 0.1], [1, 1, np.inf], "weight is not a number above 0"),
    ],
)
def test_what_is_no_learning_curve(n, error, weights, message):
    with pytest.raises(DataError, match=message):
        fit_power_law(n, error, weights=weights)
