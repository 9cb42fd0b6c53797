import numpy as np
import pytest

from benchmarks.material import feature_store, save_split


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    work = tmp_path_factory.mktemp("features")
    store, real = feature_store(work, quick=True)
    assert not real
    return store, dict(np.load(save_split(store, 600, work / "data.npz")))


def test_no_lesion_is_trained_on_and_tested(data):
    store, split = data
    assert len(split["X"]) == len(split["y"]) == len(split["groups"]) == 600
    assert not set(split["groups"]) & set(split["groups_test"])
    assert 300 < len(split["X_test"]) <= len(store) - 600
    assert split["X"].dtype == np.float32
    assert set(split["y"]) == set(split["y_test"]) == set(range(7))


def test_drawn_features_have_a_falling_spectrum(data):
    store, _ = data
    values = np.linalg.eigvalsh(np.cov(store.numpy().T))[::-1]
    slope = np.polyfit(np.log(np.arange(1, 65)), np.log(values), 1)[0]
    assert -1.5 < slope < -0.8
