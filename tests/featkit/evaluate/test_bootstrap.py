from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap

from featkit.errors import DataError, UsageError
from featkit.evaluate import METRICS, interval, lesion_weights


def test_images_of_a_lesion_come_together_and_lesions_add_up():
    group = np.array(["b", "a", "c", "b", "a", "b"])
    weights = lesion_weights(group, resamples=50, seed=0)
    assert weights.shape == (50, 6)
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(weights[:, 0], weights[:, 3])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 4])
    np.testing.assert_array_equal(weights[:, :3].sum(axis=1), 3)


def test_counts_are_multinomial():
    weights = lesion_weights([f"l{i}" for i in range(40)], resamples=4000, seed=1)
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.08)
    np.testing.assert_allclose(weights.var(axis=0), 1 - 1 / 40, atol=0.15)
    off_diagonal = np.corrcoef(weights.T)[~np.eye(40, dtype=bool)]
    np.testing.assert_allclose(off_diagonal.mean(), -1 / 39, atol=0.005)


def test_depends_on_lesions_and_seed_alone():
    group = np.array([f"l{i % 30}" for i in range(70)])
    weights = lesion_weights(group, resamples=20, seed=3)
    order = np.random.default_rng(0).permutation(70)
    np.testing.assert_array_equal(
        lesion_weights(group[order], resamples=20, seed=3), weights[:, order]
    )
    assert not np.array_equal(lesion_weights(group, resamples=20, seed=4), weights)


def test_other_lesions_are_drawn_independently():
    one = lesion_weights([f"a{i}" for i in range(30)], resamples=5, seed=0)
    two = lesion_weights([f"b{i}" for i in range(30)], resamples=5, seed=0)
    assert not np.array_equal(one, two)


def test_more_resamples_begin_with_the_fewer(monkeypatch):
    group = [f"l{i}" for i in range(33)]
    few = lesion_weights(group, resamples=10, seed=0)
    monkeypatch.setattr("featkit.evaluate._inputs._CHUNK_BYTES", 3 * 8 * 33)
    np.testing.assert_array_equal(lesion_weights(group, resamples=25, seed=0)[:10], few)


def test_nothing_to_resample():
    with pytest.raises(DataError, match="test set is empty"):
        lesion_weights([], resamples=5, seed=0)
    with pytest.raises(UsageError, match="0 resamples"):
        lesion_weights(["a"], resamples=0, seed=0)


def test_interval_is_the_percentile_interval():
    samples = np.random.default_rng(0).normal(size=1001)
    assert interval(samples) == tuple(np.percentile(samples, [2.5, 97.5]))
    low, high = interval(samples, 0.5)
    np.testing.assert_allclose([low, high], np.percentile(samples, [25, 75]))


def test_interval_leaves_out_resamples_without_a_score():
    assert interval([np.nan, 1.0, 3.0, 2.0, np.nan]) == interval([1.0, 3.0, 2.0])
    assert np.isnan(interval([np.nan, np.nan])).all()
    assert np.isnan(interval([])).all()


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, float("nan")])
def test_impossible_level(level):
    with pytest.raises(UsageError, match="must be between 0 and 1"):
        interval([1.0, 2.0], level)


def test_accuracy_interval_equals_scipys_bootstrap():
    rng = np.random.default_rng(0)
    right = rng.random(200) < 0.8
    probabilities = np.where(right[:, None], [1.0, 0.0], [0.0, 1.0])
    group = [f"l{i}" for i in range(200)]
    weights = lesion_weights(group, resamples=5000, seed=0)
    found = interval(METRICS["accuracy"](np.zeros(200, int), probabilities, weights))
    oracle = scipy_bootstrap((right.astype(float),), np.mean, n_resamples=5000, method="percentile")
    np.testing.assert_allclose(found, oracle.confidence_interval, atol=0.006)


def test_intervals_over_lesions_cover_the_truth_and_those_over_images_do_not():
    """Six images of a lesion are right or wrong together: they count as one, not as six."""
    rng = np.random.default_rng(5)
    truth, lesions, images, trials = 0.7, 80, 6, 200
    names = np.repeat([f"l{i}" for i in range(lesions)], images)
    by_lesion = lesion_weights(names, resamples=300, seed=0)
    by_image = lesion_weights([f"i{i}" for i in range(len(names))], resamples=300, seed=0)
    label = np.zeros(len(names), dtype=int)
    covered = {"lesion": 0, "image": 0}
    for _ in range(trials):
        right = np.repeat(rng.random(lesions) < truth, images)
        probabilities = np.where(right[:, None], [0.9, 0.1], [0.1, 0.9])
        for name, weights in (("lesion", by_lesion), ("image", by_image)):
            low, high = interval(METRICS["accuracy"](label, probabilities, weights))
            covered[name] += low <= truth <= high
    assert 0.90 <= covered["lesion"] / trials <= 0.99
    assert covered["image"] / trials < 0.70
