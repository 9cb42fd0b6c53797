"""The leak of a random split: its training sets, and what is found where it exists or not."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from featkit.comparison import measure_leakage
from featkit.errors import PlanError, StoreError, UsageError
from featkit.experiment import Design
from featkit.features import FeatureStore
from featkit.plans import Plan
from featkit.runs import RunStore
from featkit.sweep import LEAKAGE_SPLITS, fit, fit_leakage

DESIGN = Design(budgets=(20, 100), draws=2, draws_large=1, folds=3)


@pytest.fixture
def make_store(tmp_path):
    """A maker of stores of lesions with one or three images and a chosen effect of the lesion."""

    def make(lesion_effect=3.0, *, name="features.h5", signal=1.0, seed=0):
        rng = np.random.default_rng(seed)
        lesions = {"a": 120, "b": 90}
        label, group = [], []
        for class_name, count in lesions.items():
            for lesion in range(count):
                images = 1 if lesion % 3 else 3
                label += [class_name] * images
                group += [f"{class_name}{lesion}"] * images
        code = np.array([class_name == "b" for class_name in label])
        of_lesion = np.unique(group, return_inverse=True)[1]
        features = rng.normal(size=(len(label), 20))
        features += lesion_effect * rng.normal(size=(of_lesion.max() + 1, 20))[of_lesion]
        features[:, 0] += signal * np.where(code, 1, -1)
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            file["features"] = features.astype(np.float32)
            file["label"] = np.array(label, dtype="S")
            file["group"] = np.array(group, dtype="S")
            file["image_id"] = np.array([f"I{row:04d}" for row in range(len(label))], dtype="S")
        names = {"features": "features", "label": "label", "group": "group"}
        return FeatureStore.from_hdf5(path, **names, image_id="image_id", backbone="net")

    return make


@pytest.fixture
def grouped(tmp_path):
    """A maker of grouped Runs."""

    def make(*stores, heads=("linear",), design=DESIGN, **options):
        fit(stores, tmp_path / "grouped", heads=heads, design=design, jobs=1, **options)
        return tmp_path / "grouped"

    return make


def test_runs_of_all_splits_share_their_test_images(tmp_path, make_store, grouped):
    store = make_store()
    runs = grouped(store)
    made = fit_leakage([store], runs, tmp_path / "leak", jobs=1)
    assert (made.trained, made.reused) == (9, 0)
    kept = {split: list(RunStore(tmp_path / "leak" / split)) for split in LEAKAGE_SPLITS}
    tested = {run.test.fingerprint for found in kept.values() for run in found}
    assert len(tested) == 1
    for split, found in kept.items():
        assert {run.split for run in found} == {split}
        cells = sorted((run.key.fold, run.key.budget, run.key.draw) for run in found)
        assert cells == [(0, 20, 0), (0, 20, 1), (0, 100, 0)]
    sizes = [
        {(r.key.budget, r.train_images) for r in kept[f"random-{a}"]} for a in ("clean", "leaky")
    ]
    assert sizes[0] == sizes[1]


def test_work_that_is_done_is_kept(tmp_path, make_store, grouped):
    store = make_store()
    runs = grouped(store)
    fit_leakage([store], runs, tmp_path / "leak", budgets=[20], jobs=1)
    again = fit_leakage([store], runs, tmp_path / "leak", jobs=1)
    assert (again.trained, again.reused) == (3, 6)


def test_a_strong_lesion_effect_leaks_and_only_through_siblings(tmp_path, make_store, grouped):
    store = make_store(lesion_effect=3.0)
    runs = grouped(store, design=replace(DESIGN, budgets=(100,), folds=5, use_folds=5))
    fit_leakage([store], runs, tmp_path / "leak", jobs=1)
    found = measure_leakage(tmp_path / "leak", runs, resamples=500)
    score = next(score for score in found.scores if score.metric == "balanced_accuracy")
    assert score.difference.low > 0
    assert score.with_siblings.low > 0.05
    assert score.without_siblings.low < 0 < score.without_siblings.high
    assert score.with_siblings.value > score.difference.value
    assert np.mean([one.difference.value for one in found.by_class]) == pytest.approx(
        score.difference.value
    ), "balanced accuracy is the mean recall"


def test_images_that_are_independent_given_the_class_leak_nothing(tmp_path, make_store, grouped):
    store = make_store(lesion_effect=0.0)
    runs = grouped(store, design=replace(DESIGN, budgets=(100,), folds=5, use_folds=5))
    fit_leakage([store], runs, tmp_path / "leak", jobs=1)
    found = measure_leakage(tmp_path / "leak", runs, resamples=500)
    score = next(score for score in found.scores if score.metric == "balanced_accuracy")
    assert abs(score.difference.value) < 0.05
    assert score.difference.low < 0 < score.difference.high


def test_merged_lesions_stay_merged(tmp_path, make_store, grouped):
    """Confirmed duplicates and equal pixels are in no feature file, but in the grouped Plan."""
    store = make_store()
    first = {name: row for row, name in reversed(list(enumerate(store.group.tolist())))}
    pairs = ((store.image_id[first["a3"]], store.image_id[first["a6"]]),)
    runs = grouped(store, design=replace(DESIGN, budgets=(100,), duplicates=pairs))
    fit_leakage([store], runs, tmp_path / "leak", jobs=1)
    for split in LEAKAGE_SPLITS:
        plan = Plan.load(tmp_path / "leak" / split / "plan.json")
        merged = plan.group[np.isin(store.group, ["a3", "a6"])]
        assert set(merged) == {"a3"}


def test_excluded_classes_and_imbalance_are_repeated(tmp_path, make_store, grouped):
    store = make_store()
    label = store.label.copy()
    label[np.char.startswith(store.group, "a5")] = 2
    store = replace(store, label=label, attributes={**store.attributes, "classes": ["a", "b", "c"]})
    design = replace(DESIGN, budgets=(100,), exclude_classes=("c",))
    grouped(store, design=design, imbalance="none")
    runs = grouped(store, design=design)
    fit_leakage([store], runs, tmp_path / "leak", jobs=1)
    found = list(RunStore(tmp_path / "leak" / "random-leaky"))
    assert {run.classes for run in found} == {("a", "b")}
    assert {run.key.config["imbalance"] for run in found} == {"none", "weights"}
    scores = measure_leakage(tmp_path / "leak", runs, resamples=100).scores
    assert len({score.method for score in scores}) == 2
    assert all(score.naive is not None for score in scores)


def test_other_features_are_refused(tmp_path, make_store, grouped):
    runs = grouped(make_store())
    other = make_store(name="other.h5", seed=1)
    with pytest.raises(StoreError, match=r"no Run in .*grouped was made from .*other.h5"):
        fit_leakage([other], runs, tmp_path / "leak", jobs=1)


def test_a_backbone_that_was_fine_tuned_on_these_images_is_refused_and_on_others_not(
    tmp_path, make_store, grouped
):
    plain = make_store()
    hashes = np.array([f"{row:032x}" for row in range(len(plain))])
    store = replace(plain, image_hash=hashes, trained_on=np.array(["f" * 32]))
    runs = grouped(store)
    assert fit_leakage([store], runs, tmp_path / "leak", budgets=[20], jobs=1).trained
    with pytest.raises(PlanError, match="the leak cannot be measured with net: it was fine-tuned"):
        fit_leakage([replace(store, trained_on=hashes[:1])], runs, tmp_path / "no", jobs=1)
    assert not (tmp_path / "no").exists()


def test_features_that_give_another_plan_are_refused(tmp_path, make_store, grouped):
    store = make_store()
    runs = grouped(store)
    done = np.arange(len(store)) > 4
    with pytest.raises(PlanError, match="do not give the Plan of the Runs"):
        fit_leakage([replace(store, done=done)], runs, tmp_path / "leak", jobs=1)


def test_runs_of_a_random_split_are_refused(tmp_path, make_store, grouped):
    store = make_store()
    runs = grouped(store, design=replace(DESIGN, split="random"))
    with pytest.raises(PlanError, match="not of a grouped split"):
        fit_leakage([store], runs, tmp_path / "leak", jobs=1)


def test_folders_of_different_plans_are_refused_before_anything_is_fitted(
    tmp_path, make_store, grouped
):
    store = make_store()
    runs = grouped(store)
    fit([store], tmp_path / "other", heads=("linear",), design=replace(DESIGN, seed=1), jobs=1)
    with pytest.raises(PlanError, match=r"grouped and .*other are of different Plans: seed"):
        fit_leakage([store], [runs, tmp_path / "other"], tmp_path / "leak", jobs=1)
    assert not (tmp_path / "leak").exists()


def test_a_folder_without_runs_is_refused(tmp_path, make_store):
    with pytest.raises(StoreError, match="no Runs of heads"):
        fit_leakage([make_store()], tmp_path / "empty", tmp_path / "leak", jobs=1)


def test_budgets_that_no_run_has_are_refused(tmp_path, make_store, grouped):
    store = make_store()
    runs = grouped(store)
    with pytest.raises(UsageError, match="the Runs have 20, 100"):
        fit_leakage([store], runs, tmp_path / "leak", budgets=[50], jobs=1)
