"""Held-out predictions against models that are trained anew on each inner fold."""

import lightgbm as lgb
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from featkit.heads import LightGBMHead, LinearHead, MLPHead
from featkit.heads._learner import Learner
from featkit.heads._network import Batch, Recipe
from featkit.heads._problem import Problem
from featkit.heads._scaling import Scaling


@pytest.fixture
def problem(make_lesions):
    """What a head makes of these features, with the seed that its random_state of 0 gives."""
    X, y, groups = make_lesions((40, 16, 8), columns=10, spread=3.0)
    return X, y, groups, make_problem(X, y, groups)


def make_problem(X, y, groups):
    return Problem(
        features=X[:, None],
        label=np.unique(y, return_inverse=True)[1],
        group=groups,
        n_classes=3,
        imbalance="weights",
        inner_splits=5,
        seed=int(np.random.RandomState(0).randint(2**31)),
    )


def folds(problem, rows):
    """The inner splits, and where their validation rows stand among the rows held out."""
    for split in problem.splits:
        at = np.flatnonzero(np.isin(rows, split.validation))
        if len(at):
            np.testing.assert_array_equal(rows[at], split.validation)
            yield split, at


@pytest.mark.parametrize("criterion", ["balanced_accuracy", "log_loss"])
def test_linear_head_keeps_the_predictions_of_the_chosen_strength(problem, criterion):
    X, y, groups, inner = problem
    head = LinearHead(strengths=(1e-4, 1e-2, 1.0), criterion=criterion).fit(X, y, groups)
    rows, probabilities = head.held_out_
    assert sorted(rows) == list(range(len(y)))
    scaled = StandardScaler().fit_transform(X.astype(np.float64))
    for split, at in folds(inner, rows):
        oracle = LogisticRegression(C=head.chosen_["C"], tol=1e-8, max_iter=10_000)
        weights = compute_sample_weight("balanced", y[split.train])
        oracle.fit(scaled[split.train], y[split.train], sample_weight=weights)
        expected = oracle.predict_proba(scaled[split.validation])
        np.testing.assert_allclose(probabilities[at], expected, atol=5e-3)


def test_lightgbm_head_keeps_the_predictions_of_the_chosen_round(problem):
    X, y, groups, inner = problem
    options = {"learning_rate": 0.3, "patience": 5, "feature_fraction": 0.5}
    head = LightGBMHead(**options, validation_rows=50).fit(X, y, groups)
    rows, probabilities = head.held_out_
    assert 50 <= len(rows) < len(y)
    assert head.chosen_["rounds"] < len(head.chosen_["losses"])
    parameters = head._parameters(inner)
    for split, at in folds(inner, rows):
        dataset = lgb.Dataset(
            X[split.train],
            label=inner.label[split.train],
            weight=inner.sample(split.train).weights,
            reference=lgb.Dataset(X, params=parameters),
        )
        booster = lgb.train(parameters, dataset, head.chosen_["rounds"])
        expected = booster.predict(X[split.validation])
        np.testing.assert_allclose(probabilities[at], expected, rtol=1e-9)


def test_mlp_head_keeps_the_predictions_of_the_chosen_epoch(problem):
    X, y, groups, inner = problem
    head = MLPHead(hidden=8, learning_rate=1e-2, patience=5).fit(X, y, groups)
    rows, probabilities = head.held_out_
    epochs = head.chosen_["epochs"]
    assert epochs < len(head.chosen_["losses"])
    recipe = Recipe(8, head.dropout, head.learning_rate, head.weight_decay, head.batch_size)
    samples = [inner.sample(split.train) for split in inner.splits]
    scaled = Scaling.of(X).apply(X)[:, None]
    learner = Learner(scaled, inner.label, samples, seed=inner.seed)
    scores = []

    def is_done(learner):
        scores[:] = again.predict(learner, [split.validation for split in inner.splits])
        return learner.epochs == epochs

    again = Batch([learner], n_classes=3, recipe=recipe)
    again.train(is_done)
    np.testing.assert_allclose(probabilities, softmax(np.concatenate(scores), axis=1), rtol=1e-5)
    np.testing.assert_array_equal(rows, np.concatenate([s.validation for s in inner.splits]))


@pytest.mark.parametrize("name", ["linear", "lightgbm", "mlp"])
def test_nothing_is_held_out_where_no_inner_split_is_possible(small_heads, make_lesions, name):
    X, y, groups = make_lesions((1, 1, 1))
    assert small_heads[name].fit(X, y, groups).held_out_ is None


@pytest.mark.parametrize("name", ["linear", "lightgbm", "mlp"])
def test_held_out_probabilities_are_of_rows_once_each(small_heads, make_lesions, name):
    X, y, groups = make_lesions((12, 6, 1))
    rows, probabilities = small_heads[name].fit(X, y, groups).held_out_
    assert len(np.unique(rows)) == len(rows)
    assert probabilities.shape == (len(rows), 3)
    assert "class 2" not in y[rows], "a class of one lesion is never held out"
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
