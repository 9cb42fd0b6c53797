from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from featkit.errors import DataError
from featkit.evaluate import METRICS, one_vs_rest_auroc


def test_macro_equals_sklearn(case):
    expected = roc_auc_score(case.label, case.probabilities, multi_class="ovr")
    found = METRICS["macro_auroc"](case.label, case.probabilities)
    np.testing.assert_allclose(found, [expected], rtol=1e-12)


def test_each_class_equals_sklearn_with_sample_weight(case):
    found = one_vs_rest_auroc(case.label, case.probabilities, case.weights)
    assert found.shape == (12, 5)
    assert np.isnan(found[0, 4])
    for resample, weights in enumerate(case.weights):
        for number in range(5 if resample else 4):
            expected = roc_auc_score(
                case.label == number, case.probabilities[:, number], sample_weight=weights
            )
            np.testing.assert_allclose(found[resample, number], expected, rtol=1e-6)


def test_each_class_equals_counting_pairs(case):
    found = one_vs_rest_auroc(case.label, case.probabilities, case.weights)
    for resample in (0, 1):
        label, probabilities = case.repeated(resample)
        for number in range(4):
            own = probabilities[label == number, number][:, None]
            other = probabilities[label != number, number][None, :]
            wins = (own > other).mean() + (own == other).mean() / 2
            np.testing.assert_allclose(found[resample, number], wins, rtol=1e-12)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_rare_and_frequent_positives(share):
    rng = np.random.default_rng(0)
    label = (rng.random(300) < share).astype(int)
    positive = np.round(np.clip(rng.normal(0.4 + 0.2 * label, 0.2), 0, 1), 2)
    found = one_vs_rest_auroc(label, np.column_stack([1 - positive, positive]))
    np.testing.assert_allclose(found[0], roc_auc_score(label, positive), rtol=1e-12)


def test_equal_scores_are_chance():
    found = one_vs_rest_auroc([0, 1, 1, 0, 1], np.full((5, 2), 0.5))
    np.testing.assert_array_equal(found, [[0.5, 0.5]])


def test_single_class_has_no_score():
    found = METRICS["macro_auroc"]([1, 1], [[0.5, 0.5], [0.1, 0.9]])
    assert np.isnan(found).all()


def test_arrays_that_do_not_fit():
    with pytest.raises(DataError, match="same number"):
        one_vs_rest_auroc([0, 1], np.eye(3))
