"""Heads on several views of each image, against models fitted on repeated rows by hand."""

import lightgbm as lgb
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from featkit.errors import UsageError
from featkit.heads import LightGBMHead, LinearHead, Views
from featkit.heads._learner import Learner
from featkit.heads._problem import Problem, Sample

HEADS = ["linear", "lightgbm", "mlp"]


@pytest.fixture
def views(make_lesions):
    """A maker of features (n, V, D): the plain ones, and noisy variations of them."""

    def make(count=3, *, columns=10, **options):
        X, y, groups = make_lesions((40, 16, 8), columns=columns, **options)
        noise = np.random.default_rng(1).normal(size=(len(X), count, columns))
        noise[:, 0] = 0
        return (X[:, None] + noise).astype(np.float32), y, groups

    return make


def make_problem(X, y, groups, used):
    return Problem(
        features=X,
        label=np.unique(y, return_inverse=True)[1],
        group=groups,
        n_classes=3,
        imbalance="weights",
        inner_splits=5,
        seed=int(np.random.RandomState(0).randint(2**31)),
        views=used,
    )


def logistic(X, y, strength):
    """Scikit-learn's solution where each of V repeated rows weighs 1 / V of its image."""
    count, repeats, _ = X.shape
    weights = np.repeat(compute_sample_weight("balanced", y), repeats) / repeats
    model = LogisticRegression(C=strength, tol=1e-8, max_iter=10_000)
    return model.fit(X.reshape(count * repeats, -1), np.repeat(y, repeats), sample_weight=weights)


def averaged(model, X):
    count, repeats, columns = X.shape
    odds = model.predict_proba(X.reshape(-1, columns))
    return odds.reshape(count, repeats, -1).mean(axis=1)


def test_names_and_identity_tell_the_views():
    assert Views().suffix == ""
    assert Views().identity() == {}
    assert Views(train=5).suffix == "+views"
    assert Views(train=5).identity() == {"views": 5}
    assert Views(test=5).suffix == "+tta"
    assert Views(test=5).identity() == {"tta": 5}
    assert Views(train=5, test=3).suffix == "+views+tta"
    assert Views(train=5, test=3).identity() == {"views": 5, "tta": 3}
    assert Views(train=5, test=3).needed == Views(train=3, test=5).needed == 5


@pytest.mark.parametrize("columns", [10, 400], ids=["tall", "wide"])
@pytest.mark.parametrize("used", [Views(3, 1), Views(3, 3), Views(1, 3), Views(2, 3), Views(3, 2)])
def test_linear_head_is_scikit_learns_on_repeated_rows(views, columns, used):
    X, y, groups = views(columns=columns, spread=3.0)
    head = LinearHead(strengths=(1e-4, 1e-2, 1.0)).fit(X, y, groups, views=used)
    scaler = StandardScaler().fit(X[:, : used.train].reshape(-1, columns))
    scaled = np.stack([scaler.transform(view) for view in X.swapaxes(0, 1)], axis=1)
    strength = head.chosen_["C"]
    expected = averaged(logistic(scaled[:, : used.train], y, strength), scaled[:, : used.test])
    np.testing.assert_allclose(head.predict_proba(X[:, : used.test]), expected, atol=2e-3)
    rows, probabilities = head.held_out_
    assert sorted(rows) == list(range(len(y)))
    for train, validation in make_problem(X, y, groups, used).splits:
        model = logistic(scaled[train][:, : used.train], y[train], strength)
        expected = averaged(model, scaled[validation][:, : used.test])
        at = np.flatnonzero(np.isin(rows, validation))
        np.testing.assert_allclose(probabilities[at], expected, atol=1e-2)
    chosen = head.chosen_["scores"][head.chosen_["strengths"].index(strength)]
    judged = balanced_accuracy_score(y[rows], head.classes_[probabilities.argmax(axis=1)])
    assert chosen == pytest.approx(judged)


@pytest.mark.parametrize("used", [Views(3, 1), Views(3, 3), Views(1, 3)])
def test_lightgbm_head_is_lightgbms_on_repeated_rows(views, used):
    X, y, groups = views(spread=3.0)
    options = {"learning_rate": 0.3, "patience": 5, "feature_fraction": 0.5}
    head = LightGBMHead(**options).fit(X, y, groups, views=used)
    inner, rounds = make_problem(X, y, groups, used), head.chosen_["rounds"]
    rows, probabilities = head.held_out_
    parameters = head._parameters(inner)
    assert parameters["min_data_in_leaf"] == 5 * used.train
    losses = []
    for train, validation in inner.splits:
        weights = np.repeat(compute_sample_weight("balanced", y[train]), used.train) / used.train
        dataset = lgb.Dataset(
            X[train][:, : used.train].reshape(-1, 10),
            label=np.repeat(inner.label[train], used.train),
            weight=weights,
            reference=lgb.Dataset(X[:, : used.needed].reshape(-1, 10), params=parameters),
        )
        booster = lgb.train(parameters, dataset, rounds)
        odds = booster.predict(X[validation][:, : used.test].reshape(-1, 10))
        expected = odds.reshape(len(validation), used.test, 3).mean(axis=1)
        np.testing.assert_allclose(probabilities[np.isin(rows, validation)], expected, rtol=1e-6)
        losses.append(inner.loss(validation, np.log(expected)))
    sizes = [len(split.validation) for split in inner.splits]
    judged = np.average(losses, weights=sizes)
    assert head.chosen_["losses"][rounds - 1] == pytest.approx(judged, rel=1e-5)


def test_an_mlp_epoch_shows_each_image_once_in_views_drawn_anew():
    row, view = np.meshgrid(np.arange(20), np.arange(4), indexing="ij")
    learner = Learner(
        np.stack([row, view], axis=-1).astype(np.float32),
        np.arange(20) % 3,
        [Sample(np.arange(20), np.ones(20, dtype=np.float32))],
        seed=0,
        views=Views(train=3),
    )
    shown = []
    while learner.epochs < 30:
        features, _, _ = learner.shown(learner.next_places(8))
        shown += [tuple(pair) for pair in features[0].int().tolist()]
    assert np.bincount([row for row, _ in shown]).tolist() == [30] * 20
    assert set(shown) == {(row, view) for row in range(20) for view in range(3)}


@pytest.mark.parametrize("name", HEADS)
def test_views_that_are_not_asked_for_change_nothing(small_heads, views, name):
    X, y, groups = views()
    plain = small_heads[name].fit(X[:, 0], y, groups)
    expected, chosen, held_out = plain.predict_proba(X[:, 0]), plain.chosen_, plain.held_out_
    head = small_heads[name].fit(X, y, groups)
    assert head.chosen_ == chosen
    np.testing.assert_array_equal(head.predict_proba(X[:, 0]), expected)
    np.testing.assert_array_equal(head.predict_proba(X[:, :1]), expected)
    np.testing.assert_array_equal(head.held_out_.probabilities, held_out.probabilities)


@pytest.mark.parametrize("name", HEADS)
def test_predictions_of_several_views_are_their_mean(small_heads, views, name):
    X, y, groups = views()
    head = small_heads[name].fit(X, y, groups, views=Views(3, 3))
    expected = np.mean([head.predict_proba(view) for view in X.swapaxes(0, 1)], axis=0)
    np.testing.assert_allclose(head.predict_proba(X), expected, rtol=1e-9)
    np.testing.assert_array_equal(head.predict(X), head.classes_[expected.argmax(axis=1)])


@pytest.mark.parametrize("name", HEADS)
def test_a_head_learns_from_views(small_heads, views, name):
    """Only the second view tells the class: a head on plain images cannot know it."""
    X, y, groups = views()
    X[:, 1] = X[:, 0]
    X[:, 0] = np.random.default_rng(2).normal(size=X[:, 0].shape)
    seen, unseen = (
        balanced_accuracy_score(y, small_heads[name].fit(X, y, groups, views=used).predict(X[:, 1]))
        for used in (Views(2, 2), Views(1, 1))
    )
    assert seen > 0.8
    assert seen > unseen + 0.1


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("used", [Views(4, 1), Views(1, 4), Views(0, 1)])
def test_views_that_are_not_there_are_refused(small_heads, views, name, used):
    X, y, groups = views()
    with pytest.raises(UsageError, match=r"X holds 3 of each image.*from 1 to 3"):
        small_heads[name].fit(X, y, groups, views=used)
