from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from featkit.errors import UsageError
from featkit.evaluate import sensitivity_at_specificity


@pytest.mark.parametrize("specificity", [0.0, 0.5, 0.9, 0.95, 1.0])
def test_equals_sklearns_roc_curve(case, specificity):
    for number in range(4):
        found = sensitivity_at_specificity(
            case.label,
            case.probabilities,
            case.weights,
            class_index=number,
            specificity=specificity,
        )
        for resample, weights in enumerate(case.weights):
            false, true, _ = roc_curve(
                case.label == number,
                case.probabilities[:, number],
                sample_weight=weights,
                drop_intermediate=False,
            )
            expected = true[1 - false >= specificity - 1e-9].max()
            np.testing.assert_allclose(found[resample], expected, rtol=1e-6)


def test_nineteen_of_twenty_is_95_percent():
    label = np.array([0] * 20 + [1, 1])
    positive = np.array([0.1] * 19 + [0.5] + [0.4, 0.3])
    found = sensitivity_at_specificity(
        label, np.column_stack([1 - positive, positive]), class_index=1
    )
    assert found.tolist() == [1.0]


def test_ties_fall_on_one_side_together():
    label = np.array([0, 0, 1, 1])
    positive = np.array([0.5, 0.1, 0.5, 0.5])
    found = sensitivity_at_specificity(
        label, np.column_stack([1 - positive, positive]), class_index=1
    )
    assert found.tolist() == [0.0]


def test_missing_side_has_no_score(case):
    arguments = (case.label, case.probabilities, case.weights)
    assert np.isnan(sensitivity_at_specificity(*arguments, class_index=4)[0])
    only = np.where(case.label == 0, case.weights, 0)
    found = sensitivity_at_specificity(case.label, case.probabilities, only, class_index=0)
    assert np.isnan(found).all()


@pytest.mark.parametrize(
    "option", [{"class_index": 5}, {"class_index": -1}, {"class_index": 0, "specificity": 1.5}]
)
def test_options_that_cannot_be_meant(case, option):
    with pytest.raises(UsageError, match="5 classes and specificity is from 0 to 1"):
        sensitivity_at_specificity(case.label, case.probabilities, **option)
