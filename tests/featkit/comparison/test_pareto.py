import numpy as np
import pytest

from featkit.comparison._resampling import Resampling
from featkit.comparison.pareto import _front, pareto
from featkit.evaluate import METRICS


def on_front(scores, costs):
    """Brute force: nobody else is at least as good in both and better in one."""
    return [
        not any(
            other >= mine and price <= cost and (other > mine or price < cost)
            for other, price in zip(scores, costs, strict=True)
        )
        for mine, cost in zip(scores, costs, strict=True)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_fronts_are_those_of_brute_force(seed):
    generator = np.random.default_rng(seed)
    gains = generator.integers(0, 5, (8, 30)) / 4  # few values, many ties
    cost = generator.integers(0, 4, 8).astype(float)
    found = _front(gains, cost, np.ones((8, 8), bool))
    expected = np.transpose([on_front(column, cost) for column in gains.T])
    np.testing.assert_array_equal(found, expected)


@pytest.fixture
def runs(make_run):
    plan = {
        ("linear", True): (1.0, 2.0),
        ("mlp", True): (0.2, 9.0),
        ("finetune-full", False): (3.0, 50.0),
    }
    return [
        make_run(method, budget=budget, skill=skill, device_s=cost * budget, frozen=frozen)
        for (method, frozen), (skill, cost) in plan.items()
        for budget in (10.0, 100.0)
    ]


def test_points_tell_who_is_beaten(runs, make_evidence):
    evidence = make_evidence(*runs, resamples=60)
    found = pareto(evidence)
    scores, costs = ([getattr(p, name) for p in found.alone] for name in ("score", "seconds"))
    values = [score.value for score in scores]
    assert [point.on_front for point in found.alone] == on_front(values, costs)
    for budget in (10.0, 100.0):
        here = [index for index, point in enumerate(found.alone) if point.budget == budget]
        expected = on_front([values[i] for i in here], [costs[i] for i in here])
        assert [found.alone[i].on_budget_front for i in here] == expected
    worst = [point for point in found.alone if point.method == "net / mlp"]
    assert all(point.p_front < 0.05 for point in worst)


def test_the_probability_is_the_share_of_resamples_on_the_front(runs, make_evidence):
    evidence = make_evidence(*runs, resamples=60)
    found = pareto(evidence)
    resampling = Resampling(evidence.grid.tests, resamples=60, seed=0)
    metric = METRICS["balanced_accuracy"]
    samples = [
        resampling.samples(evidence.grid.runs(point.method, point.budget), metric)
        for point in found.alone
    ]
    costs = [point.seconds for point in found.alone]
    shares = np.mean([on_front(column, costs) for column in np.transpose(samples)], axis=0)
    assert [point.p_front for point in found.alone] == pytest.approx(shares)


def test_both_prices_and_what_is_left_out(make_run, make_evidence):
    runs = [make_run(draw=draw, device_s=1.0, features_s=30.0) for draw in (0, 1)]
    found = pareto(make_evidence(*runs, make_run("mlp")))
    assert found.left_out == ("net / mlp at 100%",)
    assert [point.seconds for point in found.alone] == [31.0]
    assert [point.seconds for point in found.shared] == [16.0]


def test_less_is_better_for_a_calibration_error(make_run, make_evidence):
    runs = [make_run(skill=0.0, device_s=1.0), make_run("mlp", skill=4.0, device_s=2.0)]
    found = pareto(make_evidence(*runs, metric="ece")).alone
    expected = on_front([-point.score.value for point in found], [1.0, 2.0])
    assert [point.on_front for point in found] == expected


def test_without_a_complete_cell_there_is_no_front(make_run, make_evidence):
    halves = [make_run(draw=0), make_run("finetune-full", draw=1, frozen=False)]
    found = pareto(make_evidence(*halves))
    assert found.alone == found.shared == ()
    assert len(found.left_out) == 2
