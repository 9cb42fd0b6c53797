import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, precision_score, recall_score, roc_curve

from featkit.comparison import compare
from featkit.errors import UsageError
from featkit.evaluate import lesion_weights
from featkit.fingerprints import stable_seed


def test_points_are_scikit_learns_averaged_over_draws_and_folds(write_runs, make_run):
    runs = [make_run(fold=fold, draw=draw) for fold in (0, 1) for draw in (0, 1, 2)]
    found = compare([write_runs(*runs)], resamples=100)
    cell = found.cell("net / linear", 100.0)
    assert cell is not None
    expected = np.mean(
        [balanced_accuracy_score(r.test.label, r.probabilities.argmax(axis=1)) for r in runs]
    )
    assert cell.scores["balanced_accuracy"].value == pytest.approx(expected)
    assert cell.runs == 6
    assert (cell.wall_s, cell.device_s) == (200.0, 100.0)
    for index, row in enumerate(found.by_class):
        top = [run.probabilities.argmax(axis=1) for run in runs]
        both = zip(runs, top, strict=True)
        pairs = [(run.test.label == index, guess == index) for run, guess in both]
        assert row.recall.value == pytest.approx(np.mean([recall_score(*pair) for pair in pairs]))
        assert row.precision.value == pytest.approx(
            np.mean([precision_score(*pair) for pair in pairs])
        )
        assert row.support == sum(
            np.sum(run.test.label == index) for run in runs if run.key.draw == 0
        )


def test_sensitivity_for_melanoma_is_that_of_the_roc_curve(write_runs, make_run):
    run = make_run()
    found = compare([write_runs(run)], resamples=100)
    false, true, _ = roc_curve(run.test.label == 1, run.probabilities[:, 1])
    assert found.focus == "mel"
    score = found.cells[0].scores["sensitivity_at_95_specificity"]
    assert score.value == pytest.approx(true[false <= 0.05].max())


def test_the_interval_is_that_of_a_bootstrap_by_hand(write_runs, make_run):
    """With one draw, only lesions are resampled: rows are repeated as often as drawn."""
    run = make_run()
    found = compare([write_runs(run)], resamples=300, seed=7)
    weights = lesion_weights(run.test.group, resamples=300, seed=stable_seed(7, 0))
    guess = run.probabilities.argmax(axis=1)
    samples = []
    for row in weights.astype(int):
        rows = np.repeat(np.arange(len(row)), row)
        samples.append(balanced_accuracy_score(run.test.label[rows], guess[rows]))
    low, high = np.quantile(samples, [0.025, 0.975])
    score = found.cells[0].scores["balanced_accuracy"]
    assert (score.low, score.high) == pytest.approx((low, high), abs=1e-6)


def test_draws_widen_the_interval(write_runs, make_run):
    """Five equal draws say as much as one; draws that disagree say how unsure the mean is."""
    same = [make_run(draw=0)]
    skills = [0.2, 3.0, 0.3, 2.8, 1.5]
    unequal = [make_run(draw=draw, skill=skill) for draw, skill in enumerate(skills)]
    widths = []
    for name, runs in (("same", same), ("unequal", unequal)):
        found = compare([write_runs(*runs, folder=name)], resamples=500)
        score = found.cells[0].scores["balanced_accuracy"]
        widths.append(score.high - score.low)
    assert widths[1] > 1.3 * widths[0]


def test_differences_are_paired_and_corrected(write_runs, make_run):
    runs = [
        make_run(method, skill=skill, budget=budget, draw=draw)
        for method, skill in (("linear", 3.0), ("mlp", 0.1), ("lightgbm", 2.9))
        for budget in (10.0, 100.0)
        for draw in (0, 1)
    ]
    found = compare([write_runs(*runs)], resamples=500, reference="net / linear")
    assert len(found.differences) == 4
    for row in found.differences:
        mine, other = (found.cell(name, row.budget) for name in (row.method, row.reference))
        assert mine is not None
        assert other is not None
        gap = mine.scores["balanced_accuracy"].value - other.scores["balanced_accuracy"].value
        assert row.difference.value == pytest.approx(gap)
        assert row.p_holm >= row.p
    clear = [row for row in found.differences if row.method == "net / mlp"]
    assert all(row.difference.high < 0 and row.p_holm < 0.05 for row in clear)


def test_only_shared_draws_are_paired(write_runs, make_run):
    runs = [make_run(draw=0), make_run(draw=1), make_run("mlp", draw=1), make_run("mlp", draw=2)]
    found = compare([write_runs(*runs)], resamples=100, reference="net / mlp")
    (row,) = found.differences
    scores = [
        balanced_accuracy_score(run.test.label, run.probabilities.argmax(axis=1))
        for run in (runs[1], runs[2])
    ]
    assert row.difference.value == pytest.approx(scores[0] - scores[1])


def test_the_best_is_the_lowest_where_less_is_better(write_runs, make_run):
    folder = write_runs(make_run(skill=3.0), make_run("mlp", skill=0.0))
    found = compare([folder], metric="ece", resamples=100)
    scores = {cell.method: cell.scores["ece"].value for cell in found.cells}
    assert found.best().method == min(scores, key=lambda name: scores[name])


def test_the_same_seed_gives_the_same_numbers(write_runs, make_run):
    folder = write_runs(make_run(), make_run("mlp"))
    first, second = (compare([folder], resamples=200, seed=3).to_dict() for _ in range(2))
    assert first == second
    assert json.loads(json.dumps(first, allow_nan=False))["resamples"] == 200


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "beauty"}, "balanced_accuracy"),
        ({"reference": "svm"}, "the methods are net / linear"),
        ({"focus": "wart"}, "the classes are bkl, mel, nv"),
    ],
)
def test_unknown_names_are_answered_with_the_known_ones(write_runs, make_run, options, message):
    with pytest.raises(UsageError, match=message):
        compare([write_runs(make_run())], resamples=100, **options)


def test_one_test_set_under_several_folds_is_counted_once(write_runs, make_run):
    """Five folds tested on the same external images know no more lesions than one."""
    one = make_run()
    folds = [replace(one, key=replace(one.key, fold=fold, test="external")) for fold in range(5)]
    first = compare([write_runs(one, folder="one")], resamples=300)
    fifth = compare([write_runs(*folds, folder="five")], resamples=300)
    assert fifth.test_images == first.test_images == len(one.test.label)
    assert fifth.test_lesions == first.test_lesions
    assert [row.support for row in fifth.by_class] == [row.support for row in first.by_class]
    scores = [found.cells[0].scores["balanced_accuracy"] for found in (first, fifth)]
    assert scores[0] == scores[1]


def test_unequal_cells_are_marked_and_never_the_best(write_runs, make_run):
    runs = [make_run(skill=0.1, draw=draw) for draw in range(3)] + [make_run("mlp", skill=5.0)]
    found = compare([write_runs(*runs)], resamples=100)
    complete = {cell.method: cell.complete for cell in found.cells}
    assert complete == {"net / linear": True, "net / mlp": False}
    assert found.best().method == "net / linear"


def test_a_clear_difference_can_pass_the_correction(write_runs, make_run):
    """With few resamples and many differences, Holm's smallest p-value would be above 0.05."""
    runs = [
        make_run(method, budget=float(budget), skill=skill)
        for method, skill in (("linear", 6.0), ("mlp", 0.0))
        for budget in range(1, 11)
    ]
    found = compare([write_runs(*runs)], resamples=100)
    assert found.resamples_differences == 2000
    assert max(row.p_holm for row in found.differences) < 0.05


def test_one_folder_may_be_a_string(write_runs, make_run):
    assert compare(str(write_runs(make_run())), resamples=100).methods == ("net / linear",)
