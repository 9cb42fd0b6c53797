from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score

from featkit.errors import DataError, UsageError
from featkit.evaluate import PowerLaw, fit_learning_curve, fit_power_law

N = np.array([75.0, 375, 750, 1900, 7500])
LAW = PowerLaw(2.0, 0.4, 0.1)


@pytest.fixture
def samples():
    return LAW(N) + np.random.default_rng(0).normal(0, 0.01, (60, 5))


def test_law_is_that_of_the_mean_errors(samples):
    found = fit_learning_curve(N, samples)
    np.testing.assert_allclose(found.error, samples.mean(axis=0))
    oracle = fit_power_law(N, samples.mean(axis=0))
    assert (found.law.a, found.law.b, found.law.c) == pytest.approx((oracle.a, oracle.b, oracle.c))


def test_intervals_are_percentiles_of_the_laws_of_the_samples(samples):
    found = fit_learning_curve(N, samples)
    laws = [fit_power_law(N, row) for row in samples]
    for name, ends in found.parameter_intervals().items():
        expected = np.percentile([getattr(law, name) for law in laws], [2.5, 97.5])
        np.testing.assert_allclose(ends, expected, rtol=1e-5)
    where = [500, 20_000]
    prediction = found.predict(where, level=0.8)
    expected = np.percentile([law(where) for law in laws], [10, 90], axis=0)
    np.testing.assert_allclose([prediction.low, prediction.high], expected, rtol=1e-6)
    np.testing.assert_allclose(prediction.error, found.law(where))


def test_prediction_at_one_number_and_at_none(samples):
    found = fit_learning_curve(N, samples)
    assert found.predict(1000).error.shape == (1,)
    assert found.predict([]).low.shape == (0,)


def test_uncertainty_grows_beyond_the_data(samples):
    found = fit_learning_curve(N, samples).predict([750, 75_000])
    near, far = found.high - found.low
    assert far > 2 * near


def test_goodness_of_fit_equals_sklearn(samples):
    found = fit_learning_curve(N, samples[:2])
    fitted = found.law(N)
    assert found.r_squared == pytest.approx(r2_score(found.error, fitted))


@pytest.mark.filterwarnings("error")
def test_a_flat_curve_has_no_share_explained():
    found = fit_learning_curve(N, np.full((3, 5), 0.3))
    assert np.isnan(found.r_squared)


def test_resamples_without_a_score_are_left_out(samples):
    holed = np.vstack([samples, np.full((1, 5), np.nan), samples[:1]])
    holed[-1, 2] = np.nan
    found, expected = fit_learning_curve(N, holed), fit_learning_curve(N, samples)
    assert found.law == expected.law
    assert found.parameter_intervals() == expected.parameter_intervals()


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.full((4, 5), np.nan), "there is none"),
        (np.full(5, 0.2), "not one for each"),
        (np.full((4, 3), 0.2), "not one for each"),
        (0.2, "not one for each"),
    ],
)
def test_what_is_no_learning_curve(samples, message):
    with pytest.raises(DataError, match=message):
        fit_learning_curve(N, samples)


def test_impossible_level(samples):
    with pytest.raises(UsageError, match="between 0 and 1"):
        fit_learning_curve(N, samples).predict([100], level=95)
