import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from featkit.comparison._honesty import BINS
from featkit.comparison.calibration import calibrations
from featkit.evaluate import METRICS, apply_temperature, fit_temperature


def top(run):
    return run.probabilities.max(axis=1), run.probabilities.argmax(axis=1) == run.test.label


def test_scores_are_scikit_learns_averaged_over_folds_and_draws(make_run, make_evidence):
    runs = [make_run(fold=fold, draw=draw) for fold in (0, 1) for draw in (0, 1)]
    (found,) = calibrations(make_evidence(*runs))
    losses = [log_loss(r.test.label, r.probabilities, labels=range(3)) for r in runs]
    briers = [
        brier_score_loss(r.test.label, r.probabilities, labels=range(3), scale_by_half=False)
        for r in runs
    ]
    errors = [METRICS["ece"](r.test.label, r.probabilities)[0] for r in runs]
    assert found.before.log_loss.value == pytest.approx(np.mean(losses), rel=1e-5)
    assert found.before.brier.value == pytest.approx(np.mean(briers), rel=1e-5)
    assert found.before.ece.value == pytest.approx(np.mean(errors), rel=1e-5)


def test_the_interval_of_the_error_is_that_of_the_comparison(make_run, make_evidence):
    evidence = make_evidence(*(make_run(draw=draw) for draw in (0, 1)))
    (found,) = calibrations(evidence)
    score = evidence.comparison.cells[0].scores["ece"]
    assert (found.before.ece.low, found.before.ece.high) == pytest.approx(
        (score.low, score.high), rel=1e-4
    )


def test_the_curve_is_scikit_learns(make_run, make_evidence):
    run = make_run(lesions=400, skill=1.0)
    (found,) = calibrations(make_evidence(run))
    curve = found.before.curve
    confidence, correct = top(run)
    accuracy, mean = calibration_curve(correct, confidence, n_bins=BINS)
    filled = ~np.isnan(curve.accuracy)
    np.testing.assert_allclose(np.array(curve.accuracy)[filled], accuracy, rtol=1e-5)
    np.testing.assert_allclose(np.array(curve.confidence)[filled], mean, rtol=1e-5)
    assert sum(curve.share) == pytest.approx(1)
    inside = np.array(curve.share)[filled] > 0.05
    low, high = np.array(curve.low)[filled][inside], np.array(curve.high)[filled][inside]
    assert np.all(low < accuracy[inside])
    assert np.all(accuracy[inside] < high)


def test_draws_are_pooled_in_one_curve(make_run, make_evidence):
    runs = [make_run(draw=draw, lesions=200) for draw in (0, 1, 2)]
    (found,) = calibrations(make_evidence(*runs))
    confidence, correct = (np.concatenate(part) for part in zip(*map(top, runs), strict=True))
    accuracy, _ = calibration_curve(correct, confidence, n_bins=BINS)
    pooled = np.array(found.before.curve.accuracy)
    np.testing.assert_allclose(pooled[~np.isnan(pooled)], accuracy, rtol=1e-5)


def test_temperatures_are_fitted_on_held_out_images_alone(make_run, make_evidence):
    runs = [make_run(draw=draw, held_out=80, skill=2.0) for draw in (0, 1)]
    (found,) = calibrations(make_evidence(*runs))
    expected = [fit_temperature(r.held_out.label, r.held_out.probabilities) for r in runs]
    assert found.temperatures == pytest.approx(expected)
    scaled = [
        apply_temperature(run.probabilities, t) for run, t in zip(runs, expected, strict=True)
    ]
    losses = [log_loss(r.test.label, p, labels=range(3)) for r, p in zip(runs, scaled, strict=True)]
    assert found.after is not None
    assert found.ece_change is not None
    assert found.after.log_loss.value == pytest.approx(np.mean(losses), rel=1e-5)
    assert found.ece_change.value == pytest.approx(found.after.ece.value - found.before.ece.value)
    assert found.note == ""


def test_a_cell_without_held_out_predictions_says_so(make_run, make_evidence):
    runs = [make_run(draw=0, held_out=50), make_run(draw=1)]
    (found,) = calibrations(make_evidence(*runs))
    assert found.after is found.ece_change is None
    assert len(found.temperatures) == 1
    assert found.note.startswith("1 of 2 Runs have no held-out predictions")
