from __future__ import annotations

import numpy as np
import pytest

from featkit.errors import DataError, UsageError
from featkit.evaluate import (
    CannotSay,
    LabelsNeeded,
    PowerLaw,
    fit_learning_curve,
    fit_power_law,
    labels_needed,
)

N = np.array([75.0, 375, 750, 1900, 7500])
LAW = PowerLaw(2.0, 0.4, 0.1)


def noisy(law=LAW, scale=0.005, n=N, resamples=400):
    return law(n) + np.random.default_rng(0).normal(0, scale, (resamples, len(n)))


@pytest.mark.parametrize("n", [200, 5000, 30_000])
def test_without_noise_the_answer_is_exact(n):
    found = labels_needed(N, np.tile(LAW(N), (5, 1)), float(LAW(n)))
    assert isinstance(found, LabelsNeeded)
    np.testing.assert_allclose([found.estimate, found.low, found.high], n, rtol=1e-4)


def test_interval_is_that_of_the_samples_one_by_one():
    samples, target = noisy(), float(LAW(3000.0))
    found = labels_needed(N, samples, target, level=0.9)
    each = np.array([fit_power_law(N, row).reach(target) for row in samples])
    # Percentiles are taken of 1 / n, which differs between neighbours only.
    expected = np.percentile(each, [50, 5, 95])
    np.testing.assert_allclose([found.estimate, found.low, found.high], expected, rtol=0.01)


def test_higher_targets_take_more():
    answers = [labels_needed(N, noisy(), target) for target in (0.2, 0.19, 0.18, 0.17, 0.16)]
    estimates = [answer.estimate for answer in answers]
    assert estimates == sorted(estimates)
    for answer in answers:
        assert answer.low < answer.estimate < answer.high


def test_an_interval_that_is_open_says_at_least():
    found = labels_needed(N, noisy(), float(LAW(20_000)))
    assert found.high == np.inf
    assert 75 < found.low < 20_000
    assert found.phrase("lesions").startswith("at least ")


def test_no_answer_below_the_smallest_budget():
    target = float(LAW(80.0))
    found = labels_needed(N, noisy(scale=0.03), target)
    assert found.low == pytest.approx(75)


def reason(*arguments, **options):
    found = labels_needed(*arguments, **options)
    assert isinstance(found, CannotSay)
    assert found.phrase() == f"cannot say: {found.reason}"
    return found.reason


@pytest.mark.parametrize("budgets", [0, 1, 3])
def test_too_few_budgets(budgets):
    samples = noisy(n=N[:budgets]) if budgets else np.zeros((5, 0))
    assert reason(N[:budgets], samples, 0.2) == (
        f"a learning curve takes at least 4 label budgets, not {budgets}"
    )


@pytest.mark.parametrize("law", [PowerLaw(0.0, 0.4, 0.3), PowerLaw(0.02, 0.3, 0.3)])
def test_a_curve_that_does_not_fall(law):
    assert "does not clearly fall" in reason(N, noisy(law, 0.02), 0.2)


def test_a_curve_that_rises():
    assert "does not clearly fall" in reason(N, noisy()[:, ::-1], 0.2)


def test_a_target_that_is_reached_already():
    assert reason(N, noisy(), 0.6) == "the smallest budget reaches it already"


def test_a_target_below_the_asymptote():
    found = reason(N, noisy(PowerLaw(20.0, 1.0, 0.25), 0.002), 0.2)
    assert found.startswith("the curve levels off at an error of 0.25")
    assert found.endswith("above the target of 0.200")


def test_a_target_too_far_beyond_the_data():
    law = PowerLaw(1.0, 0.2, 0.0)
    target = float(law(750_000.0))
    assert "more than 10 times the largest budget" in reason(N, noisy(law, 0.001), target)
    assert isinstance(labels_needed(N, noisy(law, 0.001), target, farthest=1000), LabelsNeeded)


def test_a_target_that_may_lie_below_the_asymptote_or_too_far():
    samples = noisy(PowerLaw(2.0, 0.4, 0.08), 0.008)
    low, high = fit_learning_curve(N, samples).parameter_intervals()["c"]
    assert low < 0.05 < high
    assert "more than 10 times the largest budget" in reason(N, samples, 0.05)


def test_resamples_without_a_score_are_left_out():
    holed = np.vstack([noisy(), np.full((3, 5), np.nan)])
    assert labels_needed(N, holed, 0.2) == labels_needed(N, noisy(), 0.2)


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        (LabelsNeeded(4216.3, 3149.0, 6800.4), "about 4,220 lesions (3,150 to 6,800)"),
        (LabelsNeeded(87.4, 75.0, 103.2), "about 87 lesions (75 to 103)"),
        (LabelsNeeded(99_996.0, 9999.6, 123_456.0), "about 100,000 lesions (10,000 to 123,000)"),
        (LabelsNeeded(np.inf, 12_345.0, np.inf), "at least 12,300 lesions"),
        (LabelsNeeded(20_000.0, 12_345.0, np.inf), "at least 12,300 lesions"),
    ],
)
def test_in_words(answer, phrase):
    assert answer.phrase("lesions") == phrase


@pytest.mark.parametrize(
    "options",
    [
        {"target_error": 0.0},
        {"target_error": 20},
        {"target_error": float("nan")},
        {"target_error": 0.2, "farthest": 0.5},
        {"target_error": 0.2, "farthest": float("nan")},
        {"target_error": 0.2, "level": 95},
    ],
)
def test_options_that_cannot_be_meant(options):
    with pytest.raises(UsageError, match="between 0 and 1"):
        labels_needed(N, noisy(), **options)


def test_what_is_no_learning_curve():
    with pytest.raises(DataError, match="distinct"):
        labels_needed([1, 2, 2, 3], noisy()[:, :4], 0.2)
    with pytest.raises(DataError, match="there is none"):
        labels_needed(N, np.full((4, 5), np.nan), 0.2)
