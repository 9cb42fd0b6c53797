import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from featkit.heads._path import fit_paths, logits

STRENGTHS = [1e-3, 1e-1, 10.0]


@pytest.fixture(params=[2, 4], ids=["two classes", "four classes"])
def data(request):
    rng = np.random.default_rng(0)
    label = np.arange(60) % request.param
    features = rng.normal(size=(60, 8)) + rng.normal(size=(request.param, 8))[label]
    weights = np.stack([rng.uniform(0.1, 2, size=60), rng.integers(0, 2, size=60)])
    return features.astype(np.float32), label, weights.astype(np.float32)


def test_each_problem_and_strength_is_that_of_scikit_learn(data):
    features, label, weights = data
    for strength, solutions in zip(
        STRENGTHS, fit_paths(features, label, weights, STRENGTHS, tolerance=1e-6), strict=True
    ):
        for solution, row in zip(solutions, weights, strict=True):
            used = row > 0
            oracle = LogisticRegression(C=strength, tol=1e-9, max_iter=10_000)
            oracle.fit(features[used].astype(np.float64), label[used], sample_weight=row[used])
            np.testing.assert_allclose(
                softmax(logits(features, solution), axis=1),
                oracle.predict_proba(features),
                atol=2e-3,
            )


def test_objective_is_within_a_hundred_thousandth_of_the_optimum(data):
    features, label, weights = data

    def objective(coefficients, strength):
        log_odds = log_softmax(logits(features.astype(np.float64), coefficients), axis=1)
        loss = -(weights[0] * log_odds[np.arange(len(label)), label]).sum()
        return strength * loss + (coefficients[:, :-1].astype(np.float64) ** 2).sum() / 2

    paths = fit_paths(features, label, weights[:1], STRENGTHS, tolerance=1e-5)
    for strength, (solution,) in zip(STRENGTHS, paths, strict=True):
        oracle = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000)
        oracle.fit(features.astype(np.float64), label, sample_weight=weights[0])
        best = objective(np.column_stack([oracle.coef_, oracle.intercept_]), strength)
        assert objective(solution, strength) == pytest.approx(best, rel=1e-5)


def test_path_starts_where_it_is_told(data):
    features, label, weights = data
    (solved,) = fit_paths(features, label, weights, [0.1], tolerance=1e-5)
    (again,) = fit_paths(features, label, weights, [0.1], start=solved, max_iterations=1)
    np.testing.assert_allclose(again, solved, atol=2e-3)


def test_path_is_walked_only_as_far_as_asked(data):
    features, label, weights = data
    path = fit_paths(features, label, weights, [0.1, float("nan")])
    assert next(path).shape == (2, 1 if label.max() == 1 else 4, 9)
    with pytest.raises(ValueError, match="C"):
        next(path)


def test_class_without_weight_becomes_improbable():
    rng = np.random.default_rng(0)
    features, label = rng.normal(size=(60, 8)).astype(np.float32), np.arange(60) % 3
    weights = np.where(label == 2, 0, 1).astype(np.float32)[None]
    ((solution,),) = fit_paths(features, label, weights, [0.1])
    assert solution.shape == (3, 9)
    assert softmax(logits(features, solution), axis=1)[:, 2].max() < 0.05
