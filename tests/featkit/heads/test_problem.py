import numpy as np
import pytest
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_sample_weight

from featkit.heads._problem import Problem, balanced_weights


def make_problem(label, group=None, *, imbalance="weights", inner_splits=5, seed=0):
    label = np.asarray(label)
    group = np.arange(len(label)) if group is None else group
    return Problem(
        features=np.zeros((len(label), 1, 1), dtype=np.float32),
        label=label,
        group=np.asarray(group).astype(str),
        n_classes=int(label.max()) + 1,
        imbalance=imbalance,
        inner_splits=inner_splits,
        seed=seed,
    )


LABEL = np.repeat([0, 1, 2], [40, 10, 6])
GROUP = np.arange(len(LABEL)) // 2


def test_balanced_weights_are_those_of_scikit_learn():
    weights = balanced_weights(LABEL, n_classes=4)
    np.testing.assert_allclose(weights, compute_sample_weight("balanced", LABEL), rtol=1e-6)
    assert weights.mean() == pytest.approx(1)


def test_splits_keep_groups_together_and_validate_every_row_once():
    problem = make_problem(LABEL, GROUP)
    validated = np.concatenate([split.validation for split in problem.splits])
    assert sorted(validated) == list(range(len(LABEL)))
    for train, validation in problem.splits:
        assert not set(GROUP[train]) & set(GROUP[validation])
        assert set(LABEL[train]) == set(LABEL[validation]) == {0, 1, 2}
        assert len(train) + len(validation) == len(LABEL)


def test_class_of_one_group_is_always_trained_on():
    problem = make_problem([0, 0, 0, 1, 1, 1, 2, 2], [0, 1, 2, 3, 4, 5, 6, 6])
    for train, validation in problem.splits:
        assert {6, 7} <= set(train)
        assert not {6, 7} & set(validation)


def test_no_split_where_every_class_has_one_group():
    problem = make_problem([0, 0, 1, 1], [0, 0, 1, 1])
    assert problem.splits == problem.splits_validating(10) == ()


@pytest.mark.parametrize(
    ("rows", "expected"), [(1, 1), (18, 1), (19, 2), (37, 2), (38, 3), (9999, 3)]
)
def test_as_few_splits_as_validate_on_enough_rows(rows, expected):
    problem = make_problem(LABEL, GROUP)
    assert len(problem.splits) == 3
    assert len(problem.splits_validating(rows)) == expected


def test_oversampling_repeats_rows_up_to_the_largest_class():
    rows = np.flatnonzero(np.arange(len(LABEL)) % 2)
    sample = make_problem(LABEL, imbalance="oversample").sample(rows)
    assert set(sample.rows) == set(rows)
    np.testing.assert_array_equal(np.bincount(LABEL[sample.rows]), [20, 20, 20])
    np.testing.assert_array_equal(sample.rows[: len(rows)], rows)
    np.testing.assert_array_equal(sample.weights, 1)


def test_oversampling_follows_the_seed():
    first, again, other = (
        make_problem(LABEL, imbalance="oversample", seed=seed).sample().rows for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_validation_counts_what_training_asks_for():
    rows = np.arange(0, len(LABEL), 3)
    for imbalance in ("weights", "oversample"):
        judged = make_problem(LABEL, imbalance=imbalance).judge(rows)
        per_class = np.bincount(LABEL[rows], weights=judged)
        np.testing.assert_allclose(per_class, per_class[0], rtol=1e-6)
    np.testing.assert_array_equal(make_problem(LABEL, imbalance="none").judge(rows), 1)


@pytest.mark.parametrize("imbalance", ["weights", "none"])
def test_loss_is_that_of_scikit_learn(imbalance):
    problem = make_problem(LABEL, imbalance=imbalance)
    rows = np.arange(3, len(LABEL))
    scores = np.random.default_rng(0).normal(size=(len(rows), 3))
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    weights = compute_sample_weight("balanced", LABEL[rows]) if imbalance == "weights" else None
    expected = log_loss(LABEL[rows], probabilities, sample_weight=weights)
    assert problem.loss(rows, scores) == pytest.approx(expected, rel=1e-5)
