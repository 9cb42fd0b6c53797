import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from featkit.heads._scaling import Scaling, row_space


@pytest.mark.parametrize("rows", [3, 5000])
def test_scaling_is_that_of_scikit_learn(rows):
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(rows, 6)) * [1, 10, 0.1, 1, 1, 1] + [0, 5, 0, 1e3, 0, -2]).astype(
        np.float32
    )
    oracle = StandardScaler().fit(features.astype(np.float64))
    scaling = Scaling.of(features)
    np.testing.assert_allclose(scaling.mean, oracle.mean_, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(scaling.scale, oracle.scale_, rtol=1e-4)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6, 1e-30])
@pytest.mark.parametrize("rows", [2, 20_000])
def test_constant_column_becomes_zeros(value, rows):
    features = np.full((rows, 1), value, dtype=np.float32)
    scaling = Scaling.of(features)
    assert scaling.scale == 1
    np.testing.assert_allclose(scaling.apply(features), 0, atol=1e-6 * max(1, abs(value)))


def test_scaling_leaves_its_input_alone():
    features = np.arange(6, dtype=np.float32).reshape(3, 2)
    before = features.copy()
    Scaling.of(features).apply(features)
    np.testing.assert_array_equal(features, before)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 12), columns=st.integers(1, 40), seed=st.integers(0, 99))
def test_row_space_keeps_inner_products(rows, columns, seed):
    features = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    coordinates, basis = row_space(features)
    assert coordinates.shape == (rows, min(rows, columns))
    np.testing.assert_allclose(coordinates @ coordinates.T, features @ features.T, atol=1e-4)
    if basis is None:
        assert rows >= columns
    else:
        np.testing.assert_allclose(coordinates @ basis.T, features, atol=1e-5)
        np.testing.assert_allclose(basis.T @ basis, np.eye(rows), atol=1e-5)
