"""The calibrator of all classes, against scipy, brute force and what was drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.metrics import log_loss

from featkit.errors import DataError, UsageError
from featkit.evaluate import (
    Calibrator,
    class_calibration_error,
    fit_calibrator,
    fit_temperature,
)

FREQUENCY = np.array([0.02, 0.08, 0.2, 0.7])


def drawn(seed=0, images=4000, temperature=1.0):
    """Labels of four classes, and what is known of each image if all were equally frequent."""
    rng = np.random.default_rng(seed)
    label = rng.choice(4, images, p=FREQUENCY)
    # Normal features around class means: the log-likelihoods are known.
    features = rng.normal(size=(images, 4)) + 1.5 * np.eye(4)[label]
    return label, softmax(1.5 * features * temperature, axis=1)


def test_a_head_that_was_trained_with_class_weights():
    """The oracle is Bayes' rule with the frequencies that the labels were drawn with."""
    label, weighted = drawn(temperature=2.0, images=20_000)
    found = fit_calibrator(label, weighted)
    assert found.temperature == pytest.approx(2, rel=0.05)
    expected = np.sqrt(weighted) * FREQUENCY
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found(weighted), expected, atol=0.03)
    np.testing.assert_allclose(found(weighted).mean(axis=0), FREQUENCY, atol=0.01)


def test_temperature_alone_leaves_rare_classes_too_probable():
    """The failure that this is for: the top prediction seems honest, the rare class is not."""
    label, weighted = drawn()
    test_label, test_weighted = drawn(seed=1)
    temperature = fit_temperature(label, weighted)
    scaled = Calibrator(temperature, (0.0,) * 4)(test_weighted)
    honest = fit_calibrator(label, weighted)(test_weighted)
    assert scaled[:, 0].mean() > 4 * FREQUENCY[0]
    before, after = (class_calibration_error(test_label, each)[0] for each in (scaled, honest))
    assert after[0] < 0.01 < 0.05 < before[0]
    assert after.max() < before.max() / 3


@pytest.mark.parametrize("images", [12, 100, 2000])
def test_is_the_least_log_loss_of_its_kind(images):
    """The oracle is another method of scipy, from other starts, on scikit-learn's log-loss."""
    label, weighted = drawn(seed=images, images=images)
    count = np.bincount(label, minlength=4) + 1
    frequency = np.log(count / count.sum())

    def loss(weights):
        known = softmax(np.log(weighted) * np.exp(weights[0]) + weights[1] * frequency, axis=1)
        return log_loss(label, known, labels=range(4))

    best = min(
        minimize(loss, start, method="Nelder-Mead").fun for start in ([0, 0], [0, 1], [-1, 2])
    )
    assert loss_of(fit_calibrator(label, weighted), label, weighted) <= best + 1e-5


def loss_of(calibrator, label, probabilities):
    return log_loss(label, calibrator(probabilities), labels=range(probabilities.shape[1]))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(2, 5), st.integers(0, 10**6), st.booleans())
def test_whatever_is_drawn_it_is_finite_and_never_worse(images, classes, seed, extreme):
    rng = np.random.default_rng(seed)
    label = rng.integers(classes, size=images)
    probabilities = rng.dirichlet(np.full(classes, 0.01 if extreme else 1), images)
    found = fit_calibrator(label, probabilities)
    calibrated = found(probabilities)
    np.testing.assert_allclose(calibrated.sum(axis=1), 1)
    assert 0.04 < found.temperature < 21
    same = Calibrator(1.0, (0.0,) * classes)

    def mean_loss(calibrator):
        with np.errstate(divide="ignore"):
            return -np.log(calibrator(probabilities)[np.arange(images), label]).mean()

    assert mean_loss(found) <= mean_loss(same) + 1e-6


def test_honest_probabilities_stay_nearly_as_they_are():
    rng = np.random.default_rng(3)
    probabilities = rng.dirichlet([0.2, 0.5, 1, 2], 6000)
    label = np.array([rng.choice(4, p=row) for row in probabilities])
    found = fit_calibrator(label, probabilities)
    assert found.temperature == pytest.approx(1, abs=0.08)
    np.testing.assert_allclose(found(probabilities), probabilities, atol=0.05)


def test_a_class_that_was_never_held_out_stays_possible():
    label, weighted = drawn(images=300)
    found = fit_calibrator(label[label != 0], weighted[label != 0])
    assert (found(weighted)[:, 0] > 0).all()


def test_class_calibration_error_by_brute_force():
    label, probabilities = drawn(images=200)
    weights = np.random.default_rng(0).integers(0, 3, size=(3, 200))
    found = class_calibration_error(label, probabilities, weights)
    for row, counts in enumerate(weights):
        for number in range(4):
            total = 0.0
            for low, high in zip(np.arange(15) / 15, np.arange(1, 16) / 15, strict=True):
                stated = probabilities[:, number]
                inside = (stated <= high) & ((stated > low) | (low == 0))
                share = counts[inside] @ (label[inside] == number)
                total += abs(share - counts[inside] @ stated[inside])
            assert found[row, number] == pytest.approx(total / counts.sum())


@pytest.mark.parametrize(("temperature", "bias"), [(0, (0, 0)), (np.nan, (0,)), (1, (np.inf, 0))])
def test_impossible_calibrators(temperature, bias):
    with pytest.raises(UsageError, match="above 0 and the biases finite"):
        Calibrator(temperature, bias)


def test_arrays_that_do_not_fit():
    with pytest.raises(DataError, match="same number"):
        fit_calibrator([0, 1], np.eye(3))
