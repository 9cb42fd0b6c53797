from __future__ import annotations

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from featkit.errors import DataError, UsageError
from featkit.evaluate import METRICS, apply_temperature, fit_temperature
from featkit.evaluate.temperature import HIGHEST_TEMPERATURE, LOWEST_TEMPERATURE


def calibrated(seed: int, images: int = 400, classes: int = 5):
    """Labels drawn from the very probabilities: their temperature is 1."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.6), images)
    label = np.array([rng.choice(classes, p=row) for row in probabilities])
    return label, probabilities


def loss(label, probabilities, temperature):
    classes = range(probabilities.shape[1])
    return log_loss(label, apply_temperature(probabilities, temperature), labels=classes)


@pytest.mark.parametrize("distortion", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_brute_force(seed, distortion):
    label, probabilities = calibrated(seed)
    probabilities = apply_temperature(probabilities, distortion)
    grid = np.geomspace(LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE, 150)
    losses = [loss(label, probabilities, temperature) for temperature in grid]
    found = fit_temperature(label, probabilities)
    best = np.argmin(losses)
    assert grid[best - 1] < found < grid[best + 1]
    assert loss(label, probabilities, found) <= losses[best] + 1e-12


@pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8),
    reason="scikit-learn scales by temperature from 1.8 on",
)
@pytest.mark.parametrize("strength", [0.05, 1.0, 100.0])
def test_equals_sklearn(strength):
    from sklearn.frozen import FrozenEstimator

    rng = np.random.default_rng(0)
    label = rng.integers(0, 4, 300)
    features = rng.normal(size=(300, 8)) + np.eye(4, 8)[label]
    model = LogisticRegression(C=strength, max_iter=2000).fit(features[:100], label[:100])
    rest, truth = features[100:], label[100:]
    oracle = CalibratedClassifierCV(FrozenEstimator(model), method="temperature").fit(rest, truth)
    probabilities = model.predict_proba(rest)
    found = apply_temperature(probabilities, fit_temperature(truth, probabilities))
    np.testing.assert_allclose(found, oracle.predict_proba(rest), rtol=1e-4)


@pytest.mark.parametrize("distortion", [0.4, 2.5])
def test_undoes_a_distortion(distortion):
    label, probabilities = calibrated(2, images=2000)
    distorted = apply_temperature(probabilities, distortion)
    temperature = fit_temperature(label, distorted)
    assert temperature == pytest.approx(fit_temperature(label, probabilities) / distortion)
    assert temperature == pytest.approx(1 / distortion, rel=0.1)
    before, after = (
        METRICS["ece"](label, scores)[0]
        for scores in (distorted, apply_temperature(distorted, temperature))
    )
    assert after < before / 2


def rows(classes: int = 4):
    return st.lists(
        st.lists(st.floats(0, 1, width=32), min_size=classes, max_size=classes).filter(any),
        min_size=1,
        max_size=6,
    ).map(lambda drawn: np.array(drawn) / np.sum(drawn, axis=1, keepdims=True))


@given(rows(), st.floats(0.05, 20))
def test_no_decision_changes_and_rows_sum_to_one(probabilities, temperature):
    probabilities = probabilities.astype(np.float32)
    found = apply_temperature(probabilities, temperature)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(found.argmax(axis=1), probabilities.argmax(axis=1))


@given(rows(), st.data())
@settings(max_examples=50)
def test_is_bounded_and_never_worse_than_none(probabilities, data):
    label = data.draw(st.lists(st.integers(0, 3), min_size=len(probabilities), max_size=6))
    label = label[: len(probabilities)]
    found = fit_temperature(label, probabilities)
    assert LOWEST_TEMPERATURE <= found <= HIGHEST_TEMPERATURE

    def mean_loss(temperature):
        scaled = apply_temperature(np.maximum(probabilities, 1e-38), temperature)
        with np.errstate(divide="ignore"):
            return -np.log(scaled[np.arange(len(label)), label]).mean()

    for other in (1.0, LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE):
        assert mean_loss(found) <= mean_loss(other) + 1e-6


def test_temperatures_multiply_and_one_changes_nothing():
    _, probabilities = calibrated(3, images=20)
    np.testing.assert_allclose(apply_temperature(probabilities, 1.0), probabilities)
    twice = apply_temperature(apply_temperature(probabilities, 2.0), 3.0)
    np.testing.assert_allclose(twice, apply_temperature(probabilities, 6.0))


@pytest.mark.parametrize("label", [[0, 0], [0, 1], [0]])
def test_where_all_are_right_the_answer_is_the_lowest(label):
    probabilities = np.array([[0.6, 0.4], [0.3, 0.7]])[label]
    assert fit_temperature(label, probabilities) == LOWEST_TEMPERATURE


def test_where_all_are_wrong_the_answer_is_the_highest():
    assert fit_temperature([1, 1, 0], [[0.6, 0.4], [0.9, 0.1], [0, 1]]) == HIGHEST_TEMPERATURE


def test_where_it_makes_no_difference_it_is_one():
    assert fit_temperature([0, 3, 6], np.full((3, 7), 1 / 7)) == 1.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_probabilities_of_zero_and_reduced_precision(dtype):
    label, probabilities = calibrated(4)
    probabilities = apply_temperature(probabilities, 0.2).astype(dtype)
    probabilities[0] = [1, 0, 0, 0, 0]
    label[0] = 2
    assert 2 < fit_temperature(label, probabilities) < HIGHEST_TEMPERATURE
    assert np.isfinite(apply_temperature(probabilities, 0.01)).all()


@pytest.mark.parametrize(
    ("label", "probabilities", "message"),
    [
        ([], np.zeros((0, 3)), "n above 0"),
        ([-1], np.eye(1), "no class"),
        ([0, 1], np.eye(3), "same number"),
        ([0], [[np.nan, 1.0]], "not a number"),
    ],
)
def test_arrays_that_do_not_fit(label, probabilities, message):
    with pytest.raises(DataError, match=message):
        fit_temperature(label, probabilities)


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_impossible_temperature(temperature):
    with pytest.raises(UsageError, match="must be a number above 0"):
        apply_temperature(np.eye(2), temperature)
