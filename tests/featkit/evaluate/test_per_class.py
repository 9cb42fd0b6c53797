from __future__ import annotations

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from featkit.evaluate import class_precision, class_recall, class_support


def test_equals_sklearn(case):
    arguments = (case.label, case.probabilities, case.weights)
    predicted = case.probabilities.argmax(axis=1)
    recall, precision, support = (
        score(*arguments) for score in (class_recall, class_precision, class_support)
    )
    assert recall.shape == precision.shape == support.shape == (12, 5)
    for resample, weights in enumerate(case.weights):
        expected = precision_recall_fscore_support(
            case.label, predicted, labels=range(5), sample_weight=weights, zero_division=np.nan
        )
        np.testing.assert_allclose(precision[resample], np.nan_to_num(expected[0]), rtol=1e-6)
        np.testing.assert_allclose(recall[resample], expected[1], rtol=1e-6)
        np.testing.assert_allclose(support[resample], expected[3])
    assert np.isnan(recall[0, 4])


def test_class_that_is_never_predicted():
    label, probabilities = [0, 1, 2], [[1.0, 0, 0], [1.0, 0, 0], [0, 0, 1.0]]
    np.testing.assert_allclose(class_precision(label, probabilities), [[0.5, 0, 1]])
    np.testing.assert_allclose(class_recall(label, probabilities), [[1, 0, 1]])
    np.testing.assert_allclose(class_support(label, probabilities), [[1, 1, 1]])
