"""What is logged of a Run."""

import re

import pytest
from sklearn.metrics import precision_score, recall_score

from featkit.tracking._record import record_of


@pytest.fixture
def record(run_folder, make_precise_run):
    def make(run=None):
        run = run or make_precise_run()
        return record_of(run, next((run_folder / "runs").iterdir()))

    return make


def test_scores_are_those_of_scikit_learn(record, make_precise_run):
    run = make_precise_run()
    metrics = record(run).metrics
    top = run.probabilities.argmax(axis=1)
    recall = recall_score(run.test.label, top, average=None)
    precision = precision_score(run.test.label, top, average=None)
    for place, name in enumerate(run.classes):
        assert metrics[f"recall.{name}"] == pytest.approx(recall[place])
        assert metrics[f"precision.{name}"] == pytest.approx(precision[place])
    assert metrics["balanced_accuracy"] == pytest.approx(recall.mean())
    assert metrics["cost.wall_s"] == 1 / 3
    assert metrics["cost.parameters_trained"] == 21
    assert "cost.device" not in metrics


def test_params_say_what_it_is_a_run_of(record):
    params = record().params
    assert params["backbone"] == "net"
    assert (params["budget"], params["fold"], params["draw"]) == ("12.5", "1", "0")
    assert params["config.imbalance"] == "weights"
    assert (params["chosen.C"], params["chosen.path"]) == ("0.1", "[1, 2]")
    assert params["input.spec"] == "timm:net"
    assert params["plan"] == "plan1"
    assert all(params.values())


def test_times_are_those_of_the_file(record, run_folder):
    made = record()
    ended = next((run_folder / "runs").iterdir()).stat().st_mtime
    assert made.ended_ms == round(1000 * ended)
    assert made.ended_ms - made.begun_ms == pytest.approx(333, abs=1)


def test_names_of_classes_are_such_as_servers_take_and_stay_apart(record, make_precise_run):
    metrics = record(make_precise_run(classes=("a/b", "a:b", "naevus (é)"))).metrics
    names = [name for name in metrics if name.startswith("recall.")]
    assert names == ["recall.a_b", "recall.a_b.1", "recall.naevus _é_"]
    assert all(re.fullmatch(r"[/\w.\- :]+", name) for name in metrics)


def test_scores_that_are_not_defined_are_left_out(record, make_precise_run):
    run = make_precise_run()
    run.test.label[:] = 0
    metrics = record(run).metrics
    assert "macro_auroc" not in metrics
    assert "recall.mel" not in metrics
    assert "recall.bkl" in metrics
