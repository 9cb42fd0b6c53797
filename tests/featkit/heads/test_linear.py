import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from featkit.errors import UsageError
from featkit.heads import LinearHead, _strengths, linear
from featkit.heads._problem import Problem
from featkit.plans import inner_folds

WIDE_AND_TALL = pytest.mark.parametrize("columns", [5, 300], ids=["tall", "wide"])
"""Fewer and more columns than rows: without and with rotation into the row space."""


def oracle(strength, *, class_weight="balanced"):
    model = LogisticRegression(C=strength, class_weight=class_weight, tol=1e-8, max_iter=10_000)
    return make_pipeline(StandardScaler(), model)


@WIDE_AND_TALL
@pytest.mark.parametrize("lesions", [(24, 8, 4), (20, 6)], ids=["three classes", "two classes"])
@pytest.mark.parametrize("strength", [1e-4, 1e-2, 1.0])
@pytest.mark.parametrize(("imbalance", "class_weight"), [("weights", "balanced"), ("none", None)])
def test_fit_is_that_of_scikit_learn(
    make_lesions, columns, lesions, strength, imbalance, class_weight
):
    X, y, groups = make_lesions(lesions, columns=columns)
    head = LinearHead(strengths=[strength], imbalance=imbalance).fit(X, y, groups)
    expected = oracle(strength, class_weight=class_weight).fit(X.astype(np.float64), y)
    np.testing.assert_allclose(head.predict_proba(X), expected.predict_proba(X), atol=1e-3)
    atol = 1e-2 * np.abs(expected[-1].coef_).max()
    np.testing.assert_allclose(head.coef_, expected[-1].coef_, atol=atol)
    assert head.n_parameters_ == expected[-1].coef_.size + expected[-1].intercept_.size


def test_rotation_changes_nothing(make_lesions, monkeypatch):
    X, y, groups = make_lesions(columns=300)
    rotated = LinearHead().fit(X, y, groups)
    monkeypatch.setattr(linear, "row_space", lambda features: (features, None))
    plain = LinearHead().fit(X, y, groups)
    assert rotated.chosen_["C"] == plain.chosen_["C"]
    np.testing.assert_allclose(rotated.coef_, plain.coef_, atol=2e-3 * np.abs(plain.coef_).max())
    np.testing.assert_allclose(rotated.predict_proba(X), plain.predict_proba(X), atol=2e-3)


@WIDE_AND_TALL
def test_choice_is_that_of_a_grid_search_over_the_same_folds(make_lesions, columns):
    X, y, groups = make_lesions((60, 20, 10), columns=columns, spread=4.0)
    strengths = [1e-4, 1e-2, 1.0]
    head = LinearHead(strengths=strengths, criterion="log_loss", imbalance="none").fit(X, y, groups)
    seed = int(np.random.RandomState(0).randint(2**31))
    label = np.unique(y, return_inverse=True)[1]
    fold = inner_folds(label, groups, n_splits=5, seed=seed)
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(5)]
    # The head standardises once for all folds.
    scaled = StandardScaler().fit_transform(X)
    model = LogisticRegression(tol=1e-8, max_iter=10_000)
    search = GridSearchCV(model, {"C": strengths}, scoring="neg_log_loss", cv=splits)
    search.fit(scaled, y)
    sizes = [len(validation) for _, validation in splits]
    by_fold = np.stack([search.cv_results_[f"split{k}_test_score"] for k in range(5)])
    np.testing.assert_allclose(
        head.chosen_["scores"], np.average(by_fold, axis=0, weights=sizes), rtol=2e-2
    )
    assert head.chosen_["C"] == strengths[int(np.argmax(head.chosen_["scores"]))]


def test_oversampling_is_training_on_repeated_rows(make_lesions, monkeypatch):
    X, y, groups = make_lesions(columns=5)
    samples = []
    draw = Problem.sample

    def spy(self, rows=None):
        samples.append(draw(self, rows))
        return samples[-1]

    monkeypatch.setattr(Problem, "sample", spy)
    head = LinearHead(strengths=[1e-2], imbalance="oversample").fit(X, y, groups)
    (sample,) = samples
    scaled = StandardScaler().fit_transform(X)
    expected = LogisticRegression(C=1e-2, tol=1e-8).fit(scaled[sample.rows], y[sample.rows])
    assert len(sample.rows) == 3 * np.unique(y, return_counts=True)[1].max()
    np.testing.assert_allclose(head.predict_proba(X), expected.predict_proba(scaled), atol=1e-3)


def test_weights_make_rare_classes_found(make_lesions):
    X, y, groups = make_lesions((60, 6, 3), columns=4, spread=5.0)
    recall = {
        imbalance: balanced_accuracy_score(
            y, LinearHead(strengths=[1e-2], imbalance=imbalance).fit(X, y, groups).predict(X)
        )
        for imbalance in ("none", "weights", "oversample")
    }
    assert recall["weights"] > recall["none"]
    assert recall["oversample"] > recall["none"]


def test_classes_in_another_order_give_the_same_probabilities(make_lesions):
    X, y, groups = make_lesions()
    renamed = np.char.add(np.where(y == "class 0", "z", "a"), y)
    head = LinearHead(strengths=[1e-2]).fit(X, y, groups)
    other = LinearHead(strengths=[1e-2]).fit(X, renamed, groups)
    assert list(other.classes_) == ["aclass 1", "aclass 2", "zclass 0"]
    np.testing.assert_allclose(
        other.predict_proba(X), head.predict_proba(X)[:, [1, 2, 0]], atol=1e-3
    )


def test_scale_and_offset_of_columns_do_not_matter(make_lesions):
    X, y, groups = make_lesions(columns=6)
    scale = np.array([1e-3, 1e3, 1, 10, 0.1, 1], dtype=np.float32)
    head = LinearHead().fit(X, y, groups)
    other = LinearHead().fit(X * scale + 3 * scale, y, groups)
    assert other.chosen_["C"] == head.chosen_["C"]
    np.testing.assert_allclose(
        other.predict_proba(X * scale + 3 * scale), head.predict_proba(X), atol=2e-3
    )


def test_constant_columns_are_ignored(make_lesions):
    X, y, groups = make_lesions(columns=6)
    X[:, 2] = 7.3
    head = LinearHead(strengths=[1e-2]).fit(X, y, groups)
    np.testing.assert_allclose(head.coef_[:, 2], 0, atol=1e-7)


@pytest.mark.parametrize(
    ("scores", "passed"),
    [
        ([0.5, 0.6, 0.5, 0.5, 0.5], True),
        ([0.5, 0.6, 0.5, 0.5], False),
        ([0.5, 0.6, 0.5, 0.595, 0.5], False),
        ([-1.0, -2.0, -2.0, -2.0], True),
        ([0.1, 0.2, 0.3, 0.4, 0.5], False),
        ([0.5, 0.4, 0.4], False),
    ],
)
def test_path_ends_after_three_clearly_worse_strengths(scores, passed):
    assert _strengths.has_passed(scores) is passed


@pytest.mark.filterwarnings("error")
def test_a_class_that_is_never_held_out_is_judged_by_the_others(make_lesions):
    """A class with one lesion is only trained on, though some images are taken for it."""
    X, y, groups = make_lesions((24, 8, 1), spread=6.0)
    head = LinearHead(strengths=[1e-4, 1e-2]).fit(X, y, groups)
    rows, probabilities = head.held_out_
    predicted = head.classes_[probabilities.argmax(axis=1)]
    assert "class 2" in predicted
    assert "class 2" not in y[rows]
    recalls = [np.mean(predicted[y[rows] == name] == name) for name in ("class 0", "class 1")]
    assert max(head.chosen_["scores"]) == pytest.approx(np.mean(recalls))


def test_single_strength_needs_no_inner_folds(make_lesions):
    X, y, groups = make_lesions()
    head = LinearHead(strengths=[0.5]).fit(X, y, groups)
    assert head.chosen_ == {"C": 0.5, "inner_folds": 0}


@pytest.mark.parametrize("strengths", [[], [0.0], [1.0, -1.0], [float("nan")]])
def test_impossible_strengths_are_refused(make_lesions, strengths):
    X, y, _ = make_lesions()
    with pytest.raises(UsageError, match=r"strengths=.*positive number"):
        LinearHead(strengths=strengths).fit(X, y)


def test_unknown_criterion_is_refused(make_lesions):
    X, y, _ = make_lesions()
    with pytest.raises(UsageError, match=r"criterion='auc'.*log_loss, balanced_accuracy"):
        LinearHead(criterion="auc").fit(X, y)
