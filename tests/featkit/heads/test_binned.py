"""Rows taken out of shared bins against LightGBM's own Dataset of the same rows."""

import lightgbm as lgb
import numpy as np
import pytest

from featkit.heads import LightGBMHead
from featkit.heads._binned import BinnedProblem
from featkit.heads._problem import Problem


@pytest.fixture
def make_problem(make_lesions):
    def make(imbalance="weights"):
        X, y, groups = make_lesions((40, 16, 8), columns=10, spread=3.0)
        label = np.unique(y, return_inverse=True)[1]
        return Problem(X[:, None], label, groups, 3, imbalance, inner_splits=5, seed=4)

    return make


@pytest.mark.parametrize("imbalance", ["weights", "none", "oversample"])
def test_trees_are_those_of_a_dataset_with_the_same_bins(make_problem, imbalance):
    problem = make_problem(imbalance)
    X = problem.features[:, 0]
    parameters = LightGBMHead(feature_fraction=0.5)._parameters(problem)
    sample = problem.sample(problem.splits[0].train)
    expected = lgb.Dataset(
        X[sample.rows],
        label=problem.label[sample.rows],
        weight=sample.weights,
        reference=lgb.Dataset(X, params=parameters),
    )
    part = BinnedProblem(problem, parameters).training(sample)
    assert part.num_data() == len(sample.rows)
    first, second = (lgb.train(parameters, dataset, 10) for dataset in (part, expected))
    np.testing.assert_allclose(first.predict(X), second.predict(X), rtol=1e-6)


def test_validation_rows_weigh_as_the_judge_says(make_problem):
    problem = make_problem()
    rows = problem.splits[1].validation
    part = BinnedProblem(problem, LightGBMHead()._parameters(problem)).validation(rows)
    np.testing.assert_allclose(part.get_weight(), problem.judge(rows))
    np.testing.assert_array_equal(part.get_label(), problem.label[rows])


def test_features_are_binned_once_for_folds_and_refit(make_lesions, monkeypatch):
    shapes = []
    own = BinnedProblem.__init__

    def spy(self, problem, parameters):
        shapes.append(problem.features.shape)
        own(self, problem, parameters)

    monkeypatch.setattr(BinnedProblem, "__init__", spy)
    X, y, groups = make_lesions((40, 16, 8))
    head = LightGBMHead(max_rounds=3).fit(X, y, groups)
    assert head.chosen_["inner_folds"] > 1
    assert shapes == [(len(X), 1, X.shape[1])]
