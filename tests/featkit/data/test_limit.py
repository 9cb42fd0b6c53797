from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featkit.data import ArrayImages, Dataset, limit_dataset
from featkit.errors import UsageError


def dataset(lesions, seed=0, split=None):
    """Lesions of one to three images; `lesions` is their number in each class, -1 the last."""
    rng = np.random.default_rng(seed)
    label, group = [], []
    for index, count in enumerate(lesions):
        for number in range(count):
            images = int(rng.integers(1, 4))
            label += [index] * images
            group += [f"{index}-{number}"] * images
    order = rng.permutation(len(label))
    n = len(label)
    return Dataset(
        name="test",
        images=ArrayImages(np.arange(n, dtype=np.uint8)[order].reshape(n, 1, 1)),
        image_id=np.array([f"I{row}" for row in range(n)])[order],
        label=np.array(label, dtype=np.int16)[order],
        group=np.array(group)[order],
        classes=tuple(f"c{index}" for index in range(len(lesions))),
        split=None if split is None else np.array([split[row % len(split)] for row in range(n)]),
    )


def lesions_by_class(data):
    return Counter(
        label for label, _ in set(zip(data.label.tolist(), data.group.tolist(), strict=True))
    )


@given(
    lesions=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    n=st.integers(1, 120),
    seed=st.integers(0, 3),
)
def test_properties(lesions, n, seed):
    whole = dataset(lesions, seed)
    few = limit_dataset(whole, n)
    chosen = set(few.group)
    # Whole lesions, in the Dataset's order.
    rows = [row for row in range(len(whole)) if whole.group[row] in chosen]
    assert few.image_id.tolist() == whole.image_id[rows].tolist()
    # Every class keeps five lesions or all it has.
    kept = lesions_by_class(few)
    for index, count in enumerate(lesions):
        assert kept[index] >= min(5, count)
    # No more images than asked for, unless the five alone are more.
    if len(few) > n:
        assert all(kept[index] == min(5, count) for index, count in enumerate(lesions))
    # As many as fit: the next lesion has three images at most.
    assert len(few) > n - 3 or len(few) == len(whole)
    # A smaller limit is a subset.
    assert set(limit_dataset(whole, max(1, n // 2)).image_id) <= set(few.image_id)


def test_shares_of_the_classes_stay():
    whole = dataset((700, 200, 100))
    few = limit_dataset(whole, 400)
    assert len(few) in {398, 399, 400}
    share = np.bincount(few.label) / len(few)
    np.testing.assert_allclose(share, np.bincount(whole.label) / len(whole), atol=0.01)


def test_does_not_depend_on_the_order_of_rows():
    whole = dataset((50, 30, 8))
    shuffled = whole.select(np.random.default_rng(1).permutation(len(whole)))
    few, other = limit_dataset(whole, 60), limit_dataset(shuffled, 60)
    assert set(few.image_id) == set(other.image_id)
    assert few.fingerprint != whole.fingerprint


def test_is_the_same_on_every_machine():
    groups = set(limit_dataset(dataset((6, 6)), 1).group.tolist())
    left_out = {f"{index}-{number}" for index in range(2) for number in range(6)} - groups
    assert left_out == {"0-2", "1-1"}


def test_every_part_of_an_official_split_keeps_every_class():
    whole = dataset((90, 60), split=("train", "train", "test"))
    groups = np.array(
        [f"{group}-{part}" for group, part in zip(whole.group, whole.split, strict=True)]
    )
    whole = Dataset(**{**vars(whole), "group": groups})
    few = limit_dataset(whole, 60)
    counts = Counter(zip(few.split.tolist(), few.label.tolist(), strict=True))
    assert len(counts) == 4
    assert min(counts.values()) >= 5


def test_unlabelled_images_are_limited_too():
    whole = dataset((30,))
    unlabelled = Dataset(
        **{**vars(whole), "label": np.full(len(whole), -1, np.int16), "classes": ()}
    )
    assert len(limit_dataset(unlabelled, 20)) <= 20


@pytest.mark.parametrize("n", [len(dataset((4, 4))), 10_000])
def test_a_limit_above_the_size_changes_nothing(n):
    whole = dataset((4, 4))
    assert limit_dataset(whole, n) is whole


@pytest.mark.parametrize("n", [0, -1])
def test_a_limit_below_one(n):
    with pytest.raises(UsageError, match=f"--limit {n}: the limit is below 1"):
        limit_dataset(dataset((4, 4)), n)
