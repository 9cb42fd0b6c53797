import numpy as np
import pytest

from featkit.comparison.subgroups import FEWEST_LESIONS, find_subgroups
from featkit.evaluate import lesion_weights
from featkit.fingerprints import stable_seed

METHOD = "net / linear"


@pytest.fixture
def runs(make_run):
    return [make_run(fold=fold, draw=draw, lesions=90) for fold in (0, 1) for draw in (0, 1)]


@pytest.fixture
def images(runs):
    """Lesions of either sex, and an odd column with one lesion of its own kind."""
    return {
        str(name): {
            "sex": "female" if int(lesion[3:]) % 2 else "male",
            "kind": "rare" if lesion in {"F0L1", "F0L3"} else "common",
        }
        for run in runs
        for name, lesion in zip(run.test.image_id, run.test.group, strict=True)
    }


def find(evidence, images):
    found = find_subgroups(evidence, images, methods=[METHOD], budget=100.0)
    return {(group.column, group.level): group for group in found}


def test_scores_are_those_of_the_subgroups_images(runs, images, make_evidence):
    found = find(make_evidence(*runs), images)
    for level in ("female", "male"):
        group = found["sex", level]
        accuracies, recalls, names, lesions = [], [], set(), set()
        for run in runs:
            rows = [images[str(name)]["sex"] == level for name in run.test.image_id]
            label, guess = run.test.label[rows], run.probabilities[rows].argmax(axis=1)
            accuracies.append(np.mean(label == guess))
            recalls.append([np.mean(guess[label == index] == index) for index in range(3)])
            names |= set(run.test.image_id[rows])
            lesions |= set(run.test.group[rows])
        scores = group.scores[METHOD]
        assert (group.images, group.lesions) == (len(names), len(lesions))
        assert group.classes == ("bkl", "mel", "nv")
        assert scores.accuracy.value == pytest.approx(np.mean(accuracies))
        assert scores.mean_recall.value == pytest.approx(np.mean(recalls))
        assert scores.focus_recall.value == pytest.approx(np.mean(recalls, axis=0)[1])
        assert scores.accuracy.low < scores.accuracy.value < scores.accuracy.high


def test_the_interval_is_of_the_comparisons_resamples(make_run, make_evidence):
    """By hand, with one Run: rows as often as their lesions are drawn from the whole test set."""
    run = make_run(lesions=90)
    rows = np.array([int(lesion[3:]) % 2 == 0 for lesion in run.test.group])
    images = {
        str(name): {"half": "even" if even else "odd"}
        for name, even in zip(run.test.image_id, rows, strict=True)
    }
    group = find(make_evidence(run, resamples=200), images)["half", "even"]
    weights = lesion_weights(run.test.group, resamples=200, seed=stable_seed(0, 0))[:, rows]
    right = run.probabilities[rows].argmax(axis=1) == run.test.label[rows]
    low, high = np.quantile((weights @ right) / weights.sum(axis=1), [0.025, 0.975])
    score = group.scores[METHOD].accuracy
    assert (score.low, score.high) == pytest.approx((low, high), abs=1e-6)


def test_too_few_lesions_have_no_score(runs, images, make_evidence):
    group = find(make_evidence(*runs), images)["kind", "rare"]
    assert 0 < group.lesions < FEWEST_LESIONS
    scores = group.scores[METHOD]
    assert scores.accuracy is scores.mean_recall is scores.focus_recall is None


def test_images_without_metadata_are_unknown_or_left_out(runs, make_evidence):
    assert find(make_evidence(*runs), {}) == {}
    some = {str(name): {"sex": "male"} for name in runs[0].test.image_id[:9]}
    assert find(make_evidence(*runs), some) == {}  # one level groups nothing


def test_levels_come_in_a_readers_order(make_run, make_evidence):
    run = make_run(lesions=90)
    ages = [105, 85, 65, 45, 25, 5, ""]
    images = {
        str(name): {"age": str(ages[index % 7]), "site": "arm" if index % 3 else "back"}
        for index, name in enumerate(run.test.image_id)
    }
    found = list(find(make_evidence(run), images))
    bands = ["0–19", "20–39", "40–59", "60–79", "80–99", "100–119", "unknown"]
    assert found == [("age", band) for band in bands] + [("site", "arm"), ("site", "back")]
