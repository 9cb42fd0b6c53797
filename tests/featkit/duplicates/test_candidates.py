from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.duplicates import candidates
from featkit.duplicates.candidates import count_lesions, half_whitened, nearest_across


def unit(shape: tuple[int, ...], seed: int = 0):
    values = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def brute_force(features, group, neighbours):
    """Return similarity by pair, from loops over images."""
    count, found = len(features), {}
    for i in range(count):
        others = []
        for j in range(count):
            if i != j and (group[i] != group[j] or group[i] == ""):
                cosine = max(float(view @ features[j, 0]) for view in features[i])
                others.append((cosine, j))
        for cosine, j in sorted(others, reverse=True)[:neighbours]:
            pair = (min(i, j), max(i, j))
            found[pair] = max(cosine, found.get(pair, -2))
    return found


@settings(max_examples=30, deadline=None)
@given(
    group=st.lists(st.sampled_from(["", "a", "b", "c", "d"]), min_size=2, max_size=12),
    neighbours=st.integers(1, 12),
    views=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_equals_brute_force(group, neighbours, views, seed):
    features = unit((len(group), views, 5), seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "_BLOCK", 5)
        found = nearest_across(features, np.array(group), neighbours=neighbours)
    expected = brute_force(features, group, neighbours)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert len(pairs) == len(set(pairs))
    assert dict(zip(pairs, found.similarity, strict=True)) == pytest.approx(expected, abs=1e-5)
    assert np.all(np.diff(found.similarity) <= 0)


def test_one_image_and_one_lesion_have_no_candidates():
    assert len(nearest_across(unit((1, 2, 4)), np.array(["a"]), neighbours=3)) == 0
    assert len(nearest_across(unit((4, 2, 4)), np.array(["a"] * 4), neighbours=3)) == 0


def test_images_of_unknown_lesion_are_a_lesion_each():
    assert count_lesions(np.array(["", "", "a", "a"])) == 3
    assert len(nearest_across(unit((3, 1, 4)), np.array([""] * 3), neighbours=2)) == 3


def test_half_whitening_takes_the_root_of_each_deviation():
    rng = np.random.default_rng(0)
    deviations = np.array([10.0, 4.0, 1.0])
    values = (rng.normal(size=(20_000, 1, 3)) * deviations + 7).astype(np.float32)
    found = half_whitened(values)[:, 0]
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    # The directions of the result, before they were brought to unit length.
    expected = (values[:, 0] - values[:, 0].mean(axis=0)) / np.sqrt(values[:, 0].std(axis=0))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    # Axes may be turned and reflected; inner products may not change.
    assert found[:50] @ found[:50].T == pytest.approx(expected[:50] @ expected[:50].T, abs=0.02)


def test_half_whitening_of_images_that_are_all_the_same():
    found = half_whitened(np.ones((4, 2, 3), np.float32))
    assert np.isfinite(found).all()


def test_half_whitening_of_one_feature():
    found = half_whitened(np.array([[[1.0]], [[3.0]]], dtype=np.float32))
    assert sorted(found.ravel().tolist()) == pytest.approx([-1, 1])
