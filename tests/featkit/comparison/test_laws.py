import numpy as np
import pytest

from featkit.comparison import check_target, lesions_needed
from featkit.comparison.laws import learning_laws
from featkit.errors import UsageError
from featkit.evaluate import fit_learning_curve, labels_needed

BUDGETS = (2.0, 5.0, 10.0, 25.0, 50.0, 100.0)


@pytest.fixture
def runs(make_run):
    """Skill that grows with the logarithm of the budget."""
    return [
        make_run(budget=budget, draw=draw, skill=0.4 + 0.35 * np.log(budget), lesions=200)
        for budget in BUDGETS
        for draw in (0, 1)
    ]


def measured(evidence):
    lesions = np.array([3 * budget for budget in BUDGETS])
    samples = [
        evidence.scored.samples(evidence.grid.runs("net / linear", budget)) for budget in BUDGETS
    ]
    return lesions, 1 - np.stack(samples, axis=1)


def test_a_law_is_fitted_to_the_errors_of_every_resample(runs, make_evidence):
    evidence = make_evidence(*runs, resamples=150)
    (found,) = learning_laws(evidence)
    expected = fit_learning_curve(*measured(evidence))
    assert (found.law.b, found.law.c) == pytest.approx((expected.law.b, expected.law.c))
    assert found.lesions == tuple(3 * budget for budget in BUDGETS)
    for name, ends in expected.parameter_intervals().items():
        assert found.intervals[name] == pytest.approx(ends)
    lesions, score, low, high = zip(*found.curve, strict=True)
    assert lesions[0] == pytest.approx(6)
    assert lesions[-1] == pytest.approx(300)
    assert score == pytest.approx(1 - expected.predict(lesions).error)
    assert all(a <= b <= c for a, b, c in zip(low, score, high, strict=True))


def test_two_budgets_have_no_law(make_run, make_evidence):
    evidence = make_evidence(*(make_run(budget=budget) for budget in (10.0, 100.0)))
    assert list(learning_laws(evidence)) == []
    (found,) = lesions_needed(evidence, 0.9).values()
    assert found.lesions is None
    assert "at least 4 label budgets, not 2" in found.words


def test_lesions_needed_are_counted_beyond_those_at_hand(runs, make_evidence):
    evidence = make_evidence(*runs, resamples=150)
    best = evidence.comparison.best().scores["balanced_accuracy"].value
    (found,) = lesions_needed(evidence, best + 0.02).values()
    expected = labels_needed(*measured(evidence), 1 - best - 0.02)
    assert found.lesions is not None
    assert found.more is not None
    assert found.lesions.value == pytest.approx(expected.estimate)
    assert found.more.value == pytest.approx(expected.estimate - 300)
    assert " more (352 to 2,050) than the 300 at hand: " in found.words
    assert expected.phrase("lesions") in found.words


def test_a_target_within_the_budgets_takes_no_more(runs, make_evidence):
    (found,) = lesions_needed(make_evidence(*runs, resamples=150), 0.6).values()
    assert found.words == "none: it has this score with 15 lesions"
    assert (found.lesions, found.more) == (None, None)


def test_budgets_of_the_same_lesions_are_one_point(make_run, make_evidence):
    """In a small data set 1% and 2% may be the same two lesions of each class."""
    runs = [make_run(budget=budget) for budget in (1.0, 1.2, 10.0, 50.0, 100.0)]
    (found,) = learning_laws(make_evidence(*runs))
    assert found.lesions == (3.0, 30.0, 150.0, 300.0)


@pytest.mark.parametrize(
    ("metric", "target"), [("balanced_accuracy", 1.0), ("balanced_accuracy", 0.0), ("ece", 0.5)]
)
def test_impossible_targets_are_refused(make_run, make_evidence, metric, target):
    with pytest.raises(UsageError, match=f"--target {target:g}"):
        check_target(metric, target)
    with pytest.raises(UsageError, match="between 0 and 1, of a metric of which more is better"):
        lesions_needed(make_evidence(make_run(), metric=metric), target)


def test_a_metric_of_which_less_is_better_has_no_law(runs, make_evidence):
    assert list(learning_laws(make_evidence(*runs, metric="ece"))) == []
