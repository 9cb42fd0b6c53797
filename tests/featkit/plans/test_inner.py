from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.plans import inner_folds


@settings(max_examples=50, deadline=None)
@given(
    lesions=st.lists(st.integers(1, 12), min_size=2, max_size=5),
    n_splits=st.integers(2, 6),
    seed=st.integers(0, 99),
)
def test_grouped_stratified_and_complete(lesions, n_splits, seed):
    rng = np.random.default_rng(seed)
    lesion_class = np.repeat(np.arange(len(lesions)), lesions)
    number = np.repeat(np.arange(len(lesion_class)), rng.integers(1, 5, len(lesion_class)))
    label, group = lesion_class[number], np.array([f"lesion{index}" for index in number])
    fold = inner_folds(label, group, n_splits=n_splits, seed=seed)

    several = [count for count in lesions if count > 1]
    expected = min([n_splits, *several]) if several else 0
    assert set(fold) - {-1} == set(range(expected))
    assert all(len(set(fold[group == name])) == 1 for name in set(group))
    for k in range(expected):
        # A class with one lesion is trained on always; all others are on both sides.
        assert set(label[fold != k]) == set(range(len(lesions)))
        assert set(label[fold == k]) == {c for c, count in enumerate(lesions) if count > 1}

    order = rng.permutation(len(label))
    again = inner_folds(label[order], group[order], n_splits=n_splits, seed=seed)
    np.testing.assert_array_equal(again, fold[order])


def test_two_lesions_of_each_class_are_enough():
    label, group = np.array([0, 0, 0, 1, 1]), np.array(["a", "a", "b", "c", "d"])
    fold = inner_folds(label, group, n_splits=5, seed=0)
    assert set(fold) == {0, 1}
    assert fold[0] == fold[1] != fold[2]
    assert fold[3] != fold[4]


def test_labels_need_not_be_consecutive_and_groups_may_be_numbers():
    label, group = np.array([3, 3, 9, 9]), np.array([1, 2, 3, 4])
    assert set(inner_folds(label, group, n_splits=2, seed=0)) == {0, 1}


def test_seeds_give_different_splits():
    label, group = np.repeat([0, 1], 20), np.arange(40)
    splits = {tuple(inner_folds(label, group, n_splits=4, seed=seed)) for seed in range(5)}
    assert len(splits) == 5


@pytest.mark.parametrize("size", [1, 3])
def test_nothing_to_choose_by(size):
    fold = inner_folds(np.arange(size), np.arange(size), n_splits=3, seed=0)
    assert fold.tolist() == [-1] * size
