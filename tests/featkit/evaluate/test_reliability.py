from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.calibration import calibration_curve

from featkit.errors import DataError, UsageError
from featkit.evaluate import METRICS, interval, lesion_weights, reliability


def top(probabilities, label):
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == label


@pytest.fixture
def smooth():
    """Images without tied probabilities, none of them at a quantile."""
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(4, 0.5), 398)
    label = np.where(rng.random(398) < 0.7, probabilities.argmax(axis=1), 3)
    return label, probabilities


@pytest.mark.parametrize("bins", [1, 4, 15])
@pytest.mark.parametrize(("equal_mass", "strategy"), [(False, "uniform"), (True, "quantile")])
def test_equals_sklearn(smooth, bins, equal_mass, strategy):
    label, probabilities = smooth
    found = reliability(label, probabilities, bins=bins, equal_mass=equal_mass)
    confidence, correct = top(probabilities, label)
    accuracy, mean = calibration_curve(correct, confidence, n_bins=bins, strategy=strategy)
    held = found.count > 0
    np.testing.assert_allclose(found.accuracy[held], accuracy)
    np.testing.assert_allclose(found.confidence[held], mean)
    assert np.isnan(found.accuracy[~held]).all()
    assert np.isnan(found.confidence[~held]).all()


def test_error_is_the_metric(case):
    found = reliability(case.label, case.probabilities)
    assert len(found.count) == 15
    np.testing.assert_allclose(
        found.error, METRICS["ece"](case.label, case.probabilities)[0], rtol=1e-6
    )


def test_bins_are_those_of_their_edges(case):
    found = reliability(case.label, case.probabilities, bins=10)
    confidence, correct = top(case.probabilities, case.label)
    assert found.count.sum() == len(confidence)
    for low, high, count, accuracy in zip(
        found.low, found.high, found.count, found.accuracy, strict=True
    ):
        inside = (confidence > low) & (confidence <= high)
        assert count == inside.sum()
        if count:
            assert accuracy == pytest.approx(correct[inside].mean())


def test_bins_of_equal_mass(smooth):
    found = reliability(*smooth, bins=8, equal_mass=True)
    assert set(found.count) == {49, 50}


def test_tied_confidences_stay_together():
    probabilities = np.array([[0.75, 0.25]] * 6 + [[0.625, 0.375]] * 2 + [[1.0, 0.0]] * 2)
    found = reliability(np.zeros(10, int), probabilities, bins=5, equal_mass=True)
    assert found.count[found.count > 0].tolist() == [2, 6, 2]
    assert np.all(np.diff(found.low) > 0)


def test_intervals_are_those_of_repeated_images(case):
    found = reliability(case.label, case.probabilities, bins=5, weights=case.weights)
    resampled = []
    for resample in range(len(case.weights)):
        label, probabilities = case.repeated(resample)
        resampled.append(reliability(label, probabilities, bins=5).accuracy)
    expected = np.array([interval(column) for column in np.transpose(resampled)])
    np.testing.assert_allclose(found.accuracy_low, expected[:, 0], rtol=1e-6)
    np.testing.assert_allclose(found.accuracy_high, expected[:, 1], rtol=1e-6)


def test_weights_only_add_the_intervals(case):
    without = reliability(case.label, case.probabilities)
    weighted = reliability(case.label, case.probabilities, weights=case.weights)
    for name in ("low", "high", "confidence", "accuracy", "count"):
        np.testing.assert_array_equal(getattr(weighted, name), getattr(without, name))
    assert np.isnan([without.accuracy_low, without.accuracy_high]).all()


def test_intervals_cover_the_truth():
    """Four images of a lesion share confidence and outcome; the bins are calibrated."""
    rng = np.random.default_rng(1)
    lesions, trials = 200, 150
    group = np.repeat(np.arange(lesions), 4)
    weights = lesion_weights(group, resamples=300, seed=0)
    covered = np.zeros(2)
    for _ in range(trials):
        confidence = rng.choice([0.6, 0.8], lesions)
        right = rng.random(lesions) < confidence
        probabilities = np.column_stack([confidence, 1 - confidence])[group]
        found = reliability((~right).astype(int)[group], probabilities, bins=4, weights=weights)
        truth = [0.6, 0.8]
        covered += (found.accuracy_low[2:] <= truth) & (truth <= found.accuracy_high[2:])
    least, most = binom.ppf([0.001, 0.999], trials, 0.95)
    assert np.all((covered >= least) & (covered <= most))


def test_a_probability_above_one_by_rounding_is_in_the_last_bin():
    found = reliability([0], np.array([[1.0004, 0.0]]), equal_mass=True)
    assert found.count.tolist() == [1]
    assert found.confidence.tolist() == [1.0]


def test_bad_input():
    with pytest.raises(UsageError, match="0 bins"):
        reliability([0], [[1.0, 0.0]], bins=0)
    with pytest.raises(DataError, match="same number"):
        reliability([0, 1], np.eye(3))
