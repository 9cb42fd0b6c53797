from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.plans import inner_folds, validation_rows


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


@settings(max_examples=50, deadline=None)
@given(
    lesions=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    share=st.sampled_from([0.05, 0.2, 0.5, 0.95]),
    seed=st.integers(0, 99),
)
def test_validation_rows_are_a_share_of_each_classs_lesions(lesions, share, seed):
    rng = np.random.default_rng(seed)
    lesion_class = np.repeat(np.arange(len(lesions)), lesions)
    number = np.repeat(np.arange(len(lesion_class)), rng.integers(1, 5, len(lesion_class)))
    label, group = 3 * lesion_class[number], np.array([f"lesion{index}" for index in number])
    held_out = validation_rows(label, group, share=share, seed=seed)

    assert all(len(set(held_out[group == name])) == 1 for name in set(group))
    assert set(label[~held_out]) == set(label)
    for code, count in enumerate(lesions):
        chosen = len(set(group[held_out & (label == 3 * code)]))
        if count == 1:
            assert chosen == 0
        else:
            assert 1 <= chosen <= count - 1
            assert abs(chosen - share * count) <= 0.5 or chosen in {1, count - 1}

    order = rng.permutation(len(label))
    again = validation_rows(label[order], group[order], share=share, seed=seed)
    np.testing.assert_array_equal(again, held_out[order])


def test_seeds_hold_out_different_lesions():
    label, group = np.repeat([0, 1], 20), np.arange(40)
    chosen = {tuple(validation_rows(label, group, share=0.2, seed=seed)) for seed in range(5)}
    assert len(chosen) == 5
    assert {sum(rows) for rows in chosen} == {8}


def test_a_lesion_of_two_labels_stays_on_one_side():
    label = np.array([0, 0, 1, 0, 1, 1, 0, 1])
    group = np.array(["a", "b", "b", "c", "d", "e", "f", "g"])
    for seed in range(10):
        held_out = validation_rows(label, group, share=0.4, seed=seed)
        assert held_out[1] == held_out[2]


def test_nothing_to_hold_out():
    assert not validation_rows(np.arange(3), np.arange(3), share=0.2, seed=0).any()
