from __future__ import annotations

import numpy as np
import pytest
from mlxtend.evaluate import mcnemar as mlxtend_mcnemar
from mlxtend.evaluate import mcnemar_table
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from featkit.errors import DataError
from featkit.evaluate import McNemar, mcnemar


@pytest.mark.parametrize("seed", range(4))
def test_one_image_a_lesion_equals_statsmodels_and_mlxtend(seed):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, 80)
    one, two = (rng.dirichlet(np.ones(3), 80) + 0.3 * np.eye(3)[label] for _ in range(2))
    one, two = one / 1.3, two / 1.3
    found = mcnemar(label, one, two, [f"l{i}" for i in range(80)])
    table = mcnemar_table(label, one.argmax(axis=1), two.argmax(axis=1))
    assert (found.lesions, found.only_a, found.only_b) == (80, table[0, 1], table[1, 0])
    assert found.p == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)
    assert found.p == pytest.approx(mlxtend_mcnemar(table, exact=True)[1])


def test_a_lesion_counts_once_by_the_mean_of_its_images():
    group = ["b", "a", "b", "b", "a", "c"]
    label = [1, 0, 1, 1, 0, 0]
    one = [[0.6, 0.4], [0.9, 0.1], [0.6, 0.4], [0.1, 0.9], [0.4, 0.6], [0.2, 0.8]]
    two = [[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.8, 0.2]]
    # Lesion a: first right, second wrong. b: right although two of three images are wrong; wrong.
    # c: wrong; right.
    assert mcnemar(label, one, two, group) == McNemar(lesions=3, only_a=2, only_b=1, p=1.0)


def test_is_symmetric_and_order_does_not_matter(case):
    rng = np.random.default_rng(0)
    group = rng.integers(0, 150, 150)
    other = case.probabilities[rng.permutation(150)]
    there = mcnemar(case.label, case.probabilities, other, group)
    back = mcnemar(case.label, other, case.probabilities, group)
    assert (there.only_a, there.only_b, there.p) == (back.only_b, back.only_a, back.p)
    order = rng.permutation(150)
    again = mcnemar(case.label[order], case.probabilities[order], other[order], group[order])
    assert again == there


def test_a_lesion_with_several_labels_is_left_out():
    wrong = np.array([[0.0, 1.0]] * 4)
    found = mcnemar([0, 1, 0, 0], 1 - wrong, wrong, ["a", "a", "b", "c"])
    assert (found.lesions, found.only_a, found.only_b) == (2, 2, 0)


def test_no_disagreement_has_p_of_one(case):
    found = mcnemar(case.label, case.probabilities, case.probabilities, np.arange(150))
    assert (found.only_a, found.only_b, found.p) == (0, 0, 1.0)


def test_level_holds_over_lesions_and_not_over_images():
    """Two methods of one accuracy, six images a lesion that are mostly right or wrong together."""
    rng = np.random.default_rng(1)
    lesions, images, trials = 120, 6, 300
    group = np.repeat(np.arange(lesions), images)
    label = np.zeros(len(group), dtype=int)
    alarms = {"lesion": 0, "image": 0}
    for _ in range(trials):
        shared = rng.normal(0.6, 1.0, (2, lesions))[:, group]
        positive = 1 / (1 + np.exp(-(shared + rng.normal(0, 0.3, shared.shape))))
        one, two = np.stack([positive, 1 - positive], axis=-1)
        alarms["lesion"] += mcnemar(label, one, two, group).p < 0.05
        alarms["image"] += mcnemar(label, one, two, np.arange(len(group))).p < 0.05
    assert alarms["lesion"] <= binom.ppf(0.999, trials, 0.05)
    assert alarms["image"] > binom.ppf(1 - 1e-9, trials, 0.05)


def test_a_true_difference_is_found():
    rng = np.random.default_rng(2)
    right = rng.random((2, 400)) < np.array([[0.9], [0.7]])
    one, two = np.stack([right, ~right], axis=-1).astype(float)
    found = mcnemar(np.zeros(400, int), one, two, np.arange(400))
    assert found.only_a > found.only_b
    assert found.p < 1e-4


@pytest.mark.parametrize(
    ("two", "group", "message"),
    [
        (np.eye(2), ["a", "b"], "same images and classes"),
        (np.eye(3)[:2], ["a"], "same images and classes"),
        (np.eye(3), ["a", "b"], "same number of images"),
    ],
)
def test_predictions_that_do_not_fit(two, group, message):
    with pytest.raises(DataError, match=message):
        mcnemar([0, 1], np.eye(3)[:2], two, group)
