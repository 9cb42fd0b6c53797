import json
import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from featkit.comparison import Evidence, compare, frozen_against_finetuned
from featkit.comparison.contrasts import Crossing, Estimate
from featkit.errors import UsageError
from featkit.evaluate import holm, mcnemar
from featkit.files import jsonable

BUDGETS = (5.0, 25.0, 100.0)


def score(run):
    return balanced_accuracy_score(run.test.label, run.probabilities.argmax(axis=1))


@pytest.fixture
def runs(make_run):
    """Frozen heads that do not gain from labels, and fine-tuning that does."""
    skills = {5.0: 0.0, 25.0: 1.5, 100.0: 4.0}
    made = []
    for budget in BUDGETS:
        for draw in (0, 1):
            same = {"budget": budget, "draw": draw, "held_out": 40}
            made += [make_run(method, skill=1.5, **same) for method in ("linear", "mlp")]
            made += [
                make_run(method, skill=skills[budget], frozen=False, **same)
                for method in ("finetune-full", "finetune-last")
            ]
    return made


def test_the_declared_pair_is_compared_at_every_budget(runs, make_evidence):
    found = frozen_against_finetuned(make_evidence(*runs)).declared
    assert [contrast.budget for contrast in found] == list(BUDGETS)
    assert {(c.finetuned, c.frozen) for c in found} == {("net / finetune-full", "net / linear")}
    for contrast in found:
        means = [
            np.mean(
                [
                    score(run)
                    for run in runs
                    if run.key.method == method and run.key.budget == contrast.budget
                ]
            )
            for method in ("finetune-full", "linear")
        ]
        assert contrast.difference.value == pytest.approx(means[0] - means[1])
    assert [contrast.winner for contrast in (found[0], found[-1])] == ["frozen", "fine-tuned"]
    expected = holm(np.array([contrast.p for contrast in found]))
    assert [contrast.p_holm for contrast in found] == pytest.approx(expected)


def test_contrasts_agree_with_the_comparison(runs, make_evidence):
    """The same pair in both tables has the same interval, with the sign turned."""
    evidence = make_evidence(*runs)
    comparison = compare(evidence.grid, resamples=100, reference="net / linear")
    evidence = Evidence(evidence.grid, comparison)
    rows = {(row.method, row.budget): row for row in comparison.differences}
    for contrast in frozen_against_finetuned(evidence).declared:
        row = rows[contrast.finetuned, contrast.budget]
        assert (row.difference, row.p) == (contrast.difference, contrast.p)


def test_every_other_row_meets_the_declared_row_of_the_other_side(runs, make_evidence):
    found = frozen_against_finetuned(make_evidence(*runs)).others
    pairs = {(contrast.finetuned, contrast.frozen) for contrast in found}
    assert pairs == {("net / finetune-last", "net / linear"), ("net / finetune-full", "net / mlp")}
    assert len(found) == 2 * len(BUDGETS)


def test_the_pair_may_be_named(runs, make_evidence):
    found = frozen_against_finetuned(make_evidence(*runs), pair=("mlp", "finetune-last"))
    pairs = {(contrast.finetuned, contrast.frozen) for contrast in found.declared}
    assert pairs == {("net / finetune-last", "net / mlp")}


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("svm", "finetune-full"), "on frozen features is 'svm': there are linear, mlp"),
        (("linear", "mlp"), "of fine-tuning is 'mlp': there are finetune-last, finetune-full"),
    ],
)
def test_a_pair_that_was_not_trained_is_refused(runs, make_evidence, pair, message):
    with pytest.raises(UsageError, match=message):
        frozen_against_finetuned(make_evidence(*runs), pair=pair)


def test_rows_are_chosen_by_held_out_predictions_not_by_the_test(make_run, make_evidence):
    """The mlp is the better one on the test set, and the worse one on held-out images."""
    linear = make_run(skill=0.5, held_out=60, held_out_skill=4.0)
    mlp = make_run("mlp", skill=4.0, held_out=60, held_out_skill=0.0)
    tuned = make_run("finetune-full", skill=2.0, frozen=False)
    (found,) = frozen_against_finetuned(make_evidence(linear, mlp, tuned)).chosen
    assert found.difference.value == pytest.approx(score(tuned) - score(linear))


def test_each_run_chooses_for_itself(make_run, make_evidence):
    runs = [
        make_run(method, draw=draw, held_out=60, held_out_skill=4.0 * ((draw == 0) == plain))
        for method, plain in (("linear", True), ("mlp", False))
        for draw in (0, 1)
    ]
    tuned = [make_run("finetune-full", draw=draw, frozen=False) for draw in (0, 1)]
    (found,) = frozen_against_finetuned(make_evidence(*runs, *tuned)).chosen
    chosen = [runs[0], runs[3]]  # linear in draw 0, mlp in draw 1
    expected = np.mean([score(run) for run in tuned]) - np.mean([score(run) for run in chosen])
    assert found.difference.value == pytest.approx(expected)


def test_nothing_is_chosen_without_held_out_predictions(make_run, make_evidence):
    runs = [make_run(), make_run("mlp"), make_run("finetune-full", frozen=False)]
    found = frozen_against_finetuned(make_evidence(*runs))
    assert found.chosen == ()
    assert len(found.declared) == 1


def test_the_lesion_test_is_mcnemars_on_the_first_draw_of_every_fold(make_run, make_evidence):
    runs = [
        make_run(method, fold=fold, draw=draw, skill=skill, frozen=frozen)
        for method, skill, frozen in (("linear", 0.5, True), ("finetune-full", 2.0, False))
        for fold in (0, 1)
        for draw in (0, 1)
    ]
    (found,) = frozen_against_finetuned(make_evidence(*runs)).lesion_tests
    first = {(run.key.method, run.key.fold): run for run in runs if run.key.draw == 0}
    light, tuned = ([first[name, fold] for fold in (0, 1)] for name in ("linear", "finetune-full"))
    expected = mcnemar(
        np.concatenate([run.test.label for run in light]),
        np.concatenate([run.probabilities for run in tuned]),
        np.concatenate([run.probabilities for run in light]),
        np.concatenate([run.test.group for run in light]),
    )
    assert (found.lesions, found.only_finetuned, found.only_frozen, found.p) == (
        expected.lesions,
        expected.only_a,
        expected.only_b,
        expected.p,
    )
    assert found.only_finetuned > found.only_frozen


def test_one_external_test_set_under_several_folds_is_tested_once(make_run, make_evidence):
    pair = (make_run(), make_run("finetune-full", frozen=False))
    folds = [
        replace(run, key=replace(run.key, fold=fold, test="external"))
        for run in pair
        for fold in range(3)
    ]
    (found,) = frozen_against_finetuned(make_evidence(*folds)).lesion_tests
    assert found.lesions == len(np.unique(pair[0].test.group))


def test_the_crossing_is_where_the_difference_changes_its_sign(runs, make_evidence):
    found = frozen_against_finetuned(make_evidence(*runs, resamples=300))
    (crossing,) = found.crossings
    gains = [contrast.difference.value for contrast in found.declared]
    assert gains[0] < 0 < gains[-1]
    assert crossing.within
    assert crossing.budget.low <= crossing.budget.value <= crossing.budget.high
    # Budgets are thirds of lesions here, so that both scales say the same.
    assert crossing.train_lesions.value == pytest.approx(3 * crossing.budget.value, rel=0.01)
    assert "the curves cross at" in crossing.phrase()


@pytest.mark.parametrize(
    ("skill", "words"), [(6.0, "ahead at every budget"), (0.0, "not ahead at 100%")]
)
def test_curves_that_do_not_cross(make_run, make_evidence, skill, words):
    runs = [make_run(budget=budget, skill=2.5) for budget in BUDGETS]
    runs += [make_run("finetune-full", budget=b, skill=skill, frozen=False) for b in BUDGETS]
    (crossing,) = frozen_against_finetuned(make_evidence(*runs)).crossings
    assert not crossing.within
    assert "do not cross within the budgets" in crossing.phrase()
    assert words in crossing.phrase()


def test_a_crossing_says_how_unsure_it_is():
    lesions = Estimate(300.0, 0.0, math.inf)
    crossing = Crossing("net", "a", "b", Estimate(12.3, 0.0, math.inf), lesions, 1.0, 100.0)
    assert "(300 training lesions; 95% interval: below 1% to above 100%)" in crossing.phrase()
    assert json.dumps(jsonable(crossing.budget.high)) == "null"


def test_a_crossing_near_the_largest_budget_is_no_power_of_ten():
    found = Crossing(
        "net", "a", "b", Estimate(99.7, 5.4, math.inf), Estimate(300.0, 9.0, math.inf), 1.0, 100.0
    )
    assert found.place == "100%"
    assert found.interval == "95% interval: 5.4% to above 100%"


def test_less_is_better_where_the_metric_says_so(make_run, make_evidence):
    runs = [make_run(skill=3.0), make_run("finetune-full", skill=0.0, frozen=False)]
    (found,) = frozen_against_finetuned(make_evidence(*runs, metric="ece")).declared
    assert found.gain == -found.difference.value


def test_without_both_sides_there_is_nothing_to_contrast(make_run, make_evidence):
    one = [make_run(), make_run("finetune-full", backbone="other", frozen=False)]
    found = frozen_against_finetuned(make_evidence(*one))
    assert found.declared == found.chosen == found.others == found.crossings == ()
