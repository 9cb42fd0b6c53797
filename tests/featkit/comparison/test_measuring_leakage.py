"""A measured leak against scores and a bootstrap made by hand from the same Runs."""

import csv
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score

from featkit.comparison import measure_leakage
from featkit.errors import PlanError, StoreError
from featkit.experiment import Design
from featkit.plans import Plan
from featkit.report import leakage_class_rows, leakage_note, leakage_rows, write_leakage
from featkit.runs import RunStore
from featkit.sweep import fit, fit_leakage

DESIGN = Design(budgets=(20, 100), draws=2, draws_large=1, folds=3)
METRICS = {"balanced_accuracy": balanced_accuracy_score, "accuracy": accuracy_score}


@pytest.fixture
def leak(tmp_path, make_store):
    """The folders of leakage Runs and of the grouped Runs that they repeat."""
    store = make_store(lesions=(60, 30, 20), separation=0.8)
    fit([store], tmp_path / "grouped", heads=("linear",), design=DESIGN, jobs=1)
    fit_leakage([store], tmp_path / "grouped", tmp_path / "leak", jobs=1)
    return tmp_path / "leak", tmp_path / "grouped"


def predictions(folder, budget):
    return [
        (run.test, run.probabilities.argmax(axis=1))
        for run in RunStore(folder)
        if run.key.budget == budget
    ]


def mean_score(metric, found, keep=slice(None)):
    scores = [metric(test.label[keep], chosen[keep]) for test, chosen in found]
    return np.mean(scores)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("budget", [20, 100])
def test_scores_and_differences_are_those_of_scikit_learn(leak, name, budget):
    folder, grouped = leak
    found = measure_leakage(folder, grouped, resamples=100)
    (score,) = (s for s in found.scores if (s.metric, s.budget) == (name, budget))
    clean, leaky = (predictions(folder / f"random-{arm}", budget) for arm in ("clean", "leaky"))
    metric = METRICS[name]
    assert score.runs == len(clean)
    assert score.clean.value == pytest.approx(mean_score(metric, clean))
    assert score.leaky.value == pytest.approx(mean_score(metric, leaky))
    assert score.difference.value == pytest.approx(score.leaky.value - score.clean.value)
    plan = Plan.load(folder / "random" / "plan.json")
    test, _ = clean[0]
    pool = set(plan.group[~np.isin(plan.image_id, test.image_id)])
    sibling = np.array([group in pool for group in test.group])
    assert found.test_images_with_siblings == sibling.sum()
    for part, keep in ((score.with_siblings, sibling), (score.without_siblings, ~sibling)):
        expected = mean_score(metric, leaky, keep) - mean_score(metric, clean, keep)
        assert part.value == pytest.approx(expected)
    naive = mean_score(metric, predictions(folder / "random", budget))
    naive -= mean_score(metric, predictions(grouped, budget))
    assert score.naive.value == pytest.approx(naive)


def test_recalls_are_those_of_scikit_learn(leak):
    folder, grouped = leak
    found = measure_leakage(folder, grouped, resamples=100)
    ((test, clean),) = predictions(folder / "random-clean", 100)
    ((_, leaky),) = predictions(folder / "random-leaky", 100)
    rows = [one for one in found.by_class if one.budget == 100]
    for index, one in enumerate(rows):
        assert one.support == np.sum(test.label == index)
        for estimate, chosen in ((one.clean, clean), (one.leaky, leaky)):
            recall = recall_score(test.label, chosen, labels=[index], average=None)[0]
            assert estimate.value == pytest.approx(recall)
        assert one.difference.value == pytest.approx(one.leaky.value - one.clean.value)


def test_the_interval_is_that_of_a_paired_bootstrap_over_lesions(leak):
    folder, grouped = leak
    found = measure_leakage(folder, grouped, resamples=2000)
    (score,) = (s for s in found.scores if (s.metric, s.budget) == ("accuracy", 100))
    ((test, clean),) = predictions(folder / "random-clean", 100)
    ((_, leaky),) = predictions(folder / "random-leaky", 100)
    gain = (leaky == test.label).astype(float) - (clean == test.label)
    rng, names = np.random.default_rng(0), np.unique(test.group)
    rows_of = [np.flatnonzero(test.group == name) for name in names]
    samples = []
    for _ in range(2000):
        drawn = rng.integers(len(names), size=len(names))
        samples.append(gain[np.concatenate([rows_of[lesion] for lesion in drawn])].mean())
    low, high = np.quantile(samples, [0.025, 0.975])
    assert (score.difference.low, score.difference.high) == pytest.approx((low, high), abs=0.02)


def test_training_sets_are_described(leak):
    folder, grouped = leak
    found = measure_leakage(folder, grouped, resamples=100)
    plan = Plan.load(folder / "random-leaky" / "plan.json")
    rows = [plan.train_rows(0, 20, draw) for draw in (0, 1)]
    tested = plan.group[plan.test_rows(0)]
    assert [training.budget for training in found.training] == [20, 100]
    assert found.training[0].images == np.mean([len(chosen) for chosen in rows])
    siblings = [np.isin(plan.group[chosen], tested).sum() for chosen in rows]
    assert found.training[0].siblings == np.mean(siblings)


def test_nothing_naive_is_told_of_runs_made_otherwise(leak, tmp_path):
    folder, grouped = leak
    other = RunStore(tmp_path / "other")
    for run in RunStore(grouped):
        other.save(replace(run, key=replace(run.key, config={**run.key.config, "recipe": 99})))
    (tmp_path / "other" / "plan.json").write_bytes((grouped / "plan.json").read_bytes())
    found = measure_leakage(folder, tmp_path / "other", resamples=100)
    assert all(score.naive is None for score in found.scores)
    assert "–" in leakage_rows(found)[0].values()


def test_files_hold_what_was_found(leak, tmp_path):
    folder, grouped = leak
    found = measure_leakage(folder, grouped, resamples=100)
    paths = write_leakage(found, tmp_path / "out")
    assert [path.name for path in paths] == ["leakage.json", "leakage.csv", "leakage.md"]
    kept = json.loads(paths[0].read_text())
    assert kept["scores"][0]["difference"]["value"] == found.scores[0].difference.value
    with paths[1].open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 6 * len(found.scores) + 3 * len(found.by_class)
    page = paths[2].read_text()
    assert leakage_note(found) in page
    assert "confounded: other test images" in page
    for row in leakage_class_rows(found):
        assert f"| {row['class']} |" in page


def test_lesions_of_one_image_have_nothing_to_leak(tmp_path, make_store):
    store = make_store(lesions=(60, 30, 20), separation=0.8)
    store = replace(store, group=store.image_id)
    fit([store], tmp_path / "grouped", heads=("linear",), design=DESIGN, jobs=1)
    fit_leakage([store], tmp_path / "grouped", tmp_path / "leak", jobs=1)
    found = measure_leakage(tmp_path / "leak", tmp_path / "grouped", resamples=100)
    for score in found.scores:
        assert score.with_siblings is None
        assert (score.difference.value, score.difference.low, score.difference.high) == (0, 0, 0)


def test_folders_without_leakage_runs_are_refused(leak, tmp_path):
    _, grouped = leak
    with pytest.raises((StoreError, PlanError), match="random-leaky"):
        measure_leakage(tmp_path / "empty", grouped)


def test_the_table_as_parquet_is_not_rounded(leak, tmp_path):
    pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
    folder, grouped = leak
    found = measure_leakage(folder, grouped, resamples=100)
    table = pd.read_parquet(write_leakage(found, tmp_path, form="parquet")[1])
    plain = pd.read_csv(write_leakage(found, tmp_path)[1])
    assert list(table) == list(plain)
    assert table["value"].round(5).tolist() == plain["value"].tolist()
    assert table["value"][0] == found.scores[0].clean.value
    assert table.attrs["featkit.plan"] == found.plan
