import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from benchmarks.predictions import balanced_accuracy, paired


@pytest.fixture
def files(tmp_path):
    generator = np.random.default_rng(0)
    label = generator.integers(3, size=300)
    np.savez(tmp_path / "data.npz", y_test=label, groups_test=np.arange(300) // 2)
    good, bad = generator.random((2, 300, 3))
    good[np.arange(300), label] += 0.8
    np.savez(tmp_path / "good.npz", probabilities=good / good.sum(axis=1, keepdims=True))
    np.savez(tmp_path / "bad.npz", probabilities=bad / bad.sum(axis=1, keepdims=True))
    return tmp_path, label, good, bad


def test_scores_are_those_of_scikit_learn(files):
    folder, label, good, bad = files
    expected = [balanced_accuracy_score(label, each.argmax(axis=1)) for each in (good, bad)]
    found = balanced_accuracy(folder / "data.npz", [folder / "good.npz", folder / "bad.npz"])
    assert found == pytest.approx(np.mean(expected))


def test_a_clear_difference_has_an_interval_above_zero(files):
    folder, _label, _good, _bad = files
    data, ours, theirs = (folder / f"{name}.npz" for name in ("data", "good", "bad"))
    gap = paired(data, [ours], [theirs])
    assert gap.low > 0.2
    assert gap.low < gap.point < gap.high
    none = paired(data, [ours], [ours])
    assert (none.point, none.low, none.high) == (0, 0, 0)
