from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from featkit.errors import DataError, UsageError
from featkit.evaluate import METRICS, find_metric, scores


def balanced_accuracy(label, predicted, **weight):
    return balanced_accuracy_score(label, predicted, **weight)


def accuracy(label, predicted, **weight):
    return accuracy_score(label, predicted, **weight)


def f1(average):
    def score(label, predicted, sample_weight=None):
        there = label if sample_weight is None else label[sample_weight > 0]
        return f1_score(
            label,
            predicted,
            labels=np.unique(there),
            average=average,
            sample_weight=sample_weight,
            zero_division=0,
        )

    return score


ORACLES = {
    "balanced_accuracy": balanced_accuracy,
    "accuracy": accuracy,
    "macro_f1": f1("macro"),
    "weighted_f1": f1("weighted"),
}


@pytest.mark.parametrize("name", ORACLES)
def test_unweighted_equals_sklearn(case, name):
    found = METRICS[name](case.label, case.probabilities)
    assert found.shape == (1,)
    expected = ORACLES[name](case.label, case.probabilities.argmax(axis=1))
    np.testing.assert_allclose(found[0], expected, rtol=1e-12)


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_weighted_equals_sklearn_with_sample_weight(case, name, dtype):
    found = METRICS[name](case.label, case.probabilities, case.weights.astype(dtype))
    predicted = case.probabilities.argmax(axis=1)
    # The first resampling lacks a class, which scikit-learn's recall counts as nan or warns of.
    for weights, value in list(zip(case.weights, found, strict=True))[1:]:
        expected = ORACLES[name](case.label, predicted, sample_weight=weights)
        np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_weighted_equals_repeated_rows(case, name):
    found = METRICS[name](case.label, case.probabilities, case.weights)
    assert found.shape == (len(case.weights),)
    for resample, value in enumerate(found):
        expected = METRICS[name](*case.repeated(resample))[0]
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1", "macro_auroc"])
def test_class_that_a_resample_lacks_is_left_out_of_its_mean(case, name):
    rows = case.label != 4
    with_class = METRICS[name](case.label, case.probabilities, case.weights[:1])
    without = METRICS[name](case.label[rows], case.probabilities[rows], case.weights[:1, rows])
    np.testing.assert_allclose(with_class, without)
    assert np.isfinite(with_class).all()


@pytest.mark.parametrize("name", METRICS)
def test_order_of_images_does_not_matter(case, name):
    order = np.random.default_rng(3).permutation(len(case.label))
    found = METRICS[name](case.label[order], case.probabilities[order], case.weights[:, order])
    np.testing.assert_allclose(
        found, METRICS[name](case.label, case.probabilities, case.weights), rtol=1e-5
    )


@pytest.mark.parametrize("name", METRICS)
def test_perfect_and_wrong_predictions(name):
    label = np.array([0, 1, 2, 1])
    perfect, wrong = np.eye(3)[label], np.eye(3)[(label + 1) % 3]
    best, worst = METRICS[name](label, perfect)[0], METRICS[name](label, wrong)[0]
    assert (best, METRICS[name].higher_is_better) in [(1.0, True), (0.0, False)]
    assert bool(worst < best) is METRICS[name].higher_is_better


@pytest.mark.parametrize("name", METRICS)
def test_resample_without_any_image_has_no_score(case, name):
    found = METRICS[name](case.label, case.probabilities, np.zeros((2, len(case.label))))
    assert np.isnan(found).all()


@pytest.mark.parametrize("name", METRICS)
def test_many_resamples_equal_few(case, name, monkeypatch):
    """Work is done in chunks of resamplings: their size must not show."""
    whole = METRICS[name](case.label, case.probabilities, case.weights)
    monkeypatch.setattr("featkit.evaluate._inputs._CHUNK_BYTES", 5 * 8 * len(case.label))
    np.testing.assert_array_equal(
        METRICS[name](case.label, case.probabilities, case.weights), whole
    )


def test_scores_gives_all_by_name(case):
    found = scores(case.label, case.probabilities, weights=case.weights)
    assert list(found) == list(METRICS)
    assert next(iter(found)) == "balanced_accuracy"
    for name, values in found.items():
        expected = METRICS[name](case.label, case.probabilities, case.weights)
        np.testing.assert_array_equal(values, expected)


def test_unknown_metric_is_refused_with_the_list():
    with pytest.raises(UsageError, match=r"metric auc: no such metric.*balanced_accuracy, acc"):
        find_metric("auc")
    assert find_metric("ece") is METRICS["ece"]


@pytest.mark.parametrize(
    ("label", "probabilities", "weights", "message"),
    [
        ([], np.zeros((0, 2)), None, "n above 0"),
        ([0, 1], np.eye(3), None, "same number of images"),
        ([0, 1], [0.5, 0.5], None, "they must be"),
        ([0, 2], np.eye(2), None, "label of 2 is outside"),
        ([0, -1], np.eye(2), None, "no class"),
        ([0.0, 1.0], np.eye(2), None, "no class"),
        ([0, 1], [[np.nan, 1], [0, 1]], None, "not a number"),
        ([0, 1], [[3.2, -1], [0, 1]], None, "not between 0 and 1"),
        ([0, 1], np.eye(2), [1, 1], "they must be"),
        ([0, 1], np.eye(2), [[1, 1, 1]], "same number of images"),
        ([0, 1], np.eye(2), [[1, -1]], "negative"),
        ([0, 1], np.eye(2), [[1, np.nan]], "not a number"),
        ([0, 1], np.eye(2), [[1, np.inf]], "not a number"),
    ],
)
def test_arrays_that_do_not_fit(label, probabilities, weights, message):
    with pytest.raises(DataError, match=message):
        METRICS["accuracy"](label, probabilities, weights)


def test_half_precision_probabilities_are_taken(case):
    found = METRICS["accuracy"](case.label, case.probabilities.astype(np.float16))
    assert 0 < found[0] < 1
