"""The solver against scikit-learn's, with a tolerance that leaves nothing to be desired."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from featkit.heads._arrays import CPU, torch_arrays
from featkit.heads._path import Path, Rows, logits

STRENGTHS = [1e-3, 1e-1, 10.0]

ON = pytest.mark.parametrize("arrays", [CPU, torch_arrays("cpu")], ids=["numpy", "torch"])


@pytest.fixture(params=[2, 4], ids=["two classes", "four classes"])
def data(request):
    rng = np.random.default_rng(0)
    label = np.arange(60) % request.param
    features = rng.normal(size=(60, 8)) + rng.normal(size=(request.param, 8))[label]
    weights = np.stack([rng.uniform(0.1, 2, size=60), rng.integers(0, 2, size=60)])
    return features.astype(np.float32), label, weights.astype(np.float32)


@pytest.fixture(scope="module")
def like_a_network():
    """Features as networks give them: a spectrum that falls by thousands, many rows to a lesion."""
    rng = np.random.default_rng(3)
    rows, columns, counts = 1500, 160, (900, 250, 150, 100, 60, 40)
    label = np.repeat(np.arange(6), counts)
    spread = np.logspace(0, -1.8, columns)
    own = rng.normal(size=(rows, columns)) + 0.4 * rng.normal(size=(6, columns))[label]
    mixed = (own * spread) @ np.linalg.qr(rng.normal(size=(columns, columns)))[0]
    rectified = np.maximum(mixed + 0.1, 0).astype(np.float16).astype(np.float64)
    features = ((rectified - rectified.mean(0)) / rectified.std(0)).astype(np.float32)
    fold = rng.integers(0, 3, size=rows)
    of_class = rows / (6 * np.bincount(label))
    weights = np.stack([of_class[label] * (fold != number) for number in range(3)])
    return features, label, weights, fold


def solve(features, label, weights, strengths, *, arrays=CPU, **options):
    path = Path(Rows(features, label, np.ones(len(label)), arrays=arrays), weights, **options)
    return [path.solve(strength) for strength in strengths]


def objective(features, label, weights, coefficients, strength):
    log_odds = log_softmax(logits(features.astype(np.float64), coefficients), axis=1)
    loss = -(weights * log_odds[np.arange(len(label)), label]).sum()
    return strength * loss + (coefficients[:, :-1].astype(np.float64) ** 2).sum() / 2


def oracle(features, label, weights, strength):
    model = LogisticRegression(C=strength, tol=1e-9, max_iter=10_000)
    model.fit(features.astype(np.float64), label, sample_weight=weights)
    return model, np.column_stack([model.coef_, model.intercept_])


@ON
def test_each_problem_and_strength_is_that_of_scikit_learn(data, arrays):
    features, label, weights = data
    found = solve(features, label, weights, STRENGTHS, arrays=arrays, tolerance=1e-9)
    for strength, solutions in zip(STRENGTHS, found, strict=True):
        for solution, row in zip(solutions, weights, strict=True):
            used = row > 0
            model, best = oracle(features[used], label[used], row[used], strength)
            assert solution.shape == best.shape
            np.testing.assert_allclose(
                softmax(logits(features, solution), axis=1),
                model.predict_proba(features),
                atol=1e-3,
            )


@ON
def test_objective_and_predictions_are_scikit_learns_on_features_of_networks(
    like_a_network, arrays
):
    features, label, weights, fold = like_a_network
    strengths = [1e-4, 1e-3, 1e-2, 1e-1]
    found = solve(features, label, weights, strengths, arrays=arrays)
    same = []
    for strength, solutions in zip(strengths, found, strict=True):
        for number, (solution, row) in enumerate(zip(solutions, weights, strict=True)):
            model, best = oracle(features, label, row, strength)
            expected = objective(features, label, row, best, strength)
            actual = objective(features, label, row, solution, strength)
            assert actual == pytest.approx(expected, rel=1e-5)
            held_out = features[fold == number]
            predicted = logits(held_out, solution).argmax(axis=1)
            same.append(predicted == model.predict(held_out))
    assert np.concatenate(same).mean() >= 0.999


def test_a_problem_is_solved_the_same_beside_others_and_alone(like_a_network):
    features, label, weights, _ = like_a_network
    together = solve(features, label, weights, [1e-3, 1e-2], tolerance=1e-9)[-1]
    for solution, row in zip(together, weights, strict=True):
        (alone,) = solve(features, label, row[None], [1e-3, 1e-2], tolerance=1e-9)[-1]
        np.testing.assert_allclose(
            softmax(logits(features, solution), axis=1),
            softmax(logits(features, alone), axis=1),
            atol=1e-4,
        )


def test_each_problem_may_have_a_strength_of_its_own(data):
    features, label, weights = data
    both = solve(features, label, weights, [[1e-2, 1.0]], tolerance=1e-10)[0]
    for number, strength in enumerate([1e-2, 1.0]):
        row = weights[[number]]
        (alone,) = solve(features, label, row, [strength], tolerance=1e-10)[0]
        np.testing.assert_allclose(both[number], alone, atol=1e-3 * np.abs(alone).max())


def test_path_starts_where_it_is_told(data):
    features, label, weights = data
    (solved,) = solve(features, label, weights, [0.1], tolerance=1e-9)
    (again,) = solve(features, label, weights, [0.1], start=solved, max_iterations=1)
    np.testing.assert_allclose(again, solved, atol=1e-4)


@ON
def test_a_start_far_away_leads_to_the_same_optimum(data, arrays):
    """From rows that are all learned by heart back to a strong penalty."""
    features, label, weights = data
    (far,) = solve(features, label, weights, [1e4], arrays=arrays)
    (back,) = solve(features, label, weights, [1e-5], arrays=arrays, start=far, tolerance=1e-9)
    for solution, row in zip(back, weights, strict=True):
        _, best = oracle(features, label, row, 1e-5)
        atol = 1e-3 * np.abs(best[:, :-1]).max()
        np.testing.assert_allclose(solution, best, rtol=1e-3, atol=atol)


def test_strengths_in_uneven_steps_or_falling_make_no_difference(data):
    features, label, weights = data
    found = solve(features, label, weights, [1e-5, 1.01e-5, 1.0, 0.1, 0.1], tolerance=1e-9)
    for strength, solutions in zip([1.0, 0.1, 0.1], found[2:], strict=True):
        for solution, row in zip(solutions, weights, strict=True):
            _, best = oracle(features, label, row, strength)
            np.testing.assert_allclose(solution, best, atol=2e-3 * np.abs(best).max())


def test_problems_may_leave_on_the_way(data):
    features, label, weights = data
    path = Path(Rows(features, label, np.ones(60)), weights, tolerance=1e-9)
    for strength in (1e-2, 1e-1):
        path.solve(strength)
    path.keep(np.array([False, True]))
    (solution,) = path.solve(1.0)
    _, best = oracle(features, label, weights[1], 1.0)
    np.testing.assert_allclose(solution, best, atol=2e-3 * np.abs(best).max())


@ON
def test_class_without_weight_becomes_improbable(arrays):
    rng = np.random.default_rng(0)
    features, label = rng.normal(size=(60, 8)).astype(np.float32), np.arange(60) % 3
    weights = np.where(label == 2, 0, 1).astype(np.float32)[None]
    ((solution,),) = solve(features, label, weights, [0.1], arrays=arrays)
    assert solution.shape == (3, 9)
    assert softmax(logits(features, solution), axis=1)[:, 2].max() < 0.05


def test_problem_without_weight_stays_where_it_is(data):
    features, label, weights = data
    ((nothing, something),) = solve(features, label, np.stack([0 * weights[0], weights[1]]), [0.1])
    np.testing.assert_array_equal(nothing, 0)
    assert np.abs(something).max() > 0


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(4, 60),
    columns=st.integers(1, 40),
    classes=st.integers(2, 5),
    strength=st.sampled_from([1e-8, 1e-4, 1.0, 1e4]),
    apart=st.sampled_from([0.0, 1.0, 100.0]),
    constant=st.booleans(),
    seed=st.integers(0, 99),
)
def test_whatever_the_problem_the_objective_is_finite_and_no_worse(
    rows, columns, classes, strength, apart, constant, seed
):
    """Few rows, separable ones, columns that say nothing, rows and classes without weight."""
    rng = np.random.default_rng(seed)
    label = np.concatenate([np.arange(classes), rng.integers(0, classes, size=rows)])
    features = (
        rng.normal(size=(len(label), columns)) + apart * rng.normal(size=(classes, columns))[label]
    )
    features = features.astype(np.float32)
    if constant:
        features[:, 0] = 0
    weights = rng.integers(0, 2, size=(2, len(label))) * rng.uniform(0.1, 9, len(label))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = solve(features, label, weights, [strength], max_iterations=300)[0]
    assert np.isfinite(found).all()
    for solution, row in zip(found, weights, strict=True):
        actual = objective(features, label, row, solution, strength)
        assert actual <= objective(features, label, row, 0 * solution, strength) * (1 + 1e-6)
        if strength <= 1 and row.any() and len(np.unique(label[row > 0])) == classes:
            _, best = oracle(features, label, row, strength)
            expected = objective(features, label, row, best, strength)
            assert actual <= expected * (1 + 1e-5) + 1e-6 * strength * row.sum()
