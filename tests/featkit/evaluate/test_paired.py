from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap
from scipy.stats import norm

from featkit.errors import DataError
from featkit.evaluate import METRICS, lesion_weights, paired_difference


def test_pairing_removes_what_both_methods_share():
    rng = np.random.default_rng(0)
    shared = rng.normal(0.7, 0.1, 2000)
    found = paired_difference(shared + 0.02 + rng.normal(0, 0.001, 2000), shared, 0.02)
    assert found.point == 0.02
    assert 0.017 < found.low < 0.02 < found.high < 0.023
    assert found.p == pytest.approx(2 / 2001)


def test_p_equals_that_of_a_normal_difference():
    difference = np.random.default_rng(1).normal(1.5, 1.0, 20_000)
    found = paired_difference(difference, np.zeros(20_000), 1.5)
    assert found.p == pytest.approx(2 * norm.sf(1.5), abs=0.01)


def test_interval_equals_scipys_paired_bootstrap():
    rng = np.random.default_rng(0)
    right = rng.random((2, 200)) < np.array([[0.8], [0.7]])
    weights = lesion_weights([f"l{i}" for i in range(200)], resamples=5000, seed=0)
    samples = [
        METRICS["accuracy"](np.zeros(200, int), np.column_stack([row, ~row]), weights)
        for row in right
    ]
    found = paired_difference(*samples, 0.1)
    oracle = scipy_bootstrap(
        tuple(right.astype(float)),
        lambda one, two, axis: one.mean(axis) - two.mean(axis),
        paired=True,
        n_resamples=5000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    np.testing.assert_allclose([found.low, found.high], oracle, atol=0.008)


def test_p_is_symmetric():
    rng = np.random.default_rng(2)
    one, two = rng.normal(0.1, 1, 500), rng.normal(0, 1, 500)
    there, back = paired_difference(one, two, 0.1), paired_difference(two, one, -0.1)
    assert there.p == back.p
    assert there.low == pytest.approx(-back.high)


def test_no_difference_has_p_of_one():
    same = np.random.default_rng(3).random(100)
    found = paired_difference(same, same, 0.0)
    assert (found.point, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_resamples_without_both_scores_are_left_out():
    one, two = np.array([0.5, np.nan, 0.7, 0.8]), np.array([0.4, 0.3, np.nan, 0.9])
    found = paired_difference(one, two, 0.0)
    expected = paired_difference(one[[0, 3]], two[[0, 3]], 0.0)
    assert found == expected
    nothing = paired_difference([np.nan], [0.1], np.nan)
    assert np.isnan([nothing.low, nothing.high, nothing.p]).all()


def test_samples_of_other_resamplings_are_refused():
    with pytest.raises(DataError, match=r"shapes \(3,\) and \(4,\).*same weights"):
        paired_difference(np.zeros(3), np.zeros(4), 0.0)


def test_false_alarms_are_as_rare_as_promised():
    """Two methods of equal accuracy on correlated lesions: p < 0.05 in about 5% of trials."""
    rng = np.random.default_rng(4)
    lesions, images, trials = 100, 3, 200
    group = np.repeat([f"l{i}" for i in range(lesions)], images)
    weights = lesion_weights(group, resamples=400, seed=0)
    label, alarms = np.zeros(len(group), dtype=int), 0
    for _ in range(trials):
        samples, points = [], []
        for _ in range(2):
            right = np.repeat(rng.random(lesions) < 0.7, images)
            probabilities = np.where(right[:, None], [0.9, 0.1], [0.1, 0.9])
            samples.append(METRICS["accuracy"](label, probabilities, weights))
            points.append(METRICS["accuracy"](label, probabilities)[0])
        alarms += paired_difference(*samples, points[0] - points[1]).p < 0.05
    assert 0.01 <= alarms / trials <= 0.10
