import csv
import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from featkit.comparison import gather
from featkit.errors import DataError, PlanError, StoreError, UsageError
from featkit.experiment import Design
from featkit.fingerprints import stable_seed
from featkit.heads import HEADS, make_head
from featkit.plans import Plan
from featkit.runs import RunStore
from featkit.sweep import fit as fit_heads

fit = partial(fit_heads, heads=("linear",))

SMALL = Design(budgets=(20, 100), draws=2, draws_large=1, folds=3)


def test_runs_are_what_the_head_gives_on_the_plans_rows(tmp_path, make_store):
    """The oracle goes from the saved Plan and the features to probabilities by hand."""
    store = make_store()
    sweep = fit([store], tmp_path / "out", design=SMALL, jobs=1)
    plan = Plan.load(tmp_path / "out" / "plan.json")
    assert (sweep.trained, sweep.reused) == (3, 0)
    place = {name: row for row, name in enumerate(store.image_id)}
    features, label, group = store.numpy(), store.label, store.group
    runs = list(RunStore(tmp_path / "out"))
    assert sorted((run.key.budget, run.key.draw) for run in runs) == [(20, 0), (20, 1), (100, 0)]
    for run in runs:
        ids = plan.image_id[plan.train_rows(run.key.fold, run.key.budget, run.key.draw)]
        rows = [place[name] for name in ids]
        tested = [place[name] for name in run.test.image_id]
        assert not set(group[rows]) & set(group[tested])
        assert run.train_lesions == len(set(group[rows]))
        np.testing.assert_array_equal(run.test.label, label[tested])
        head = make_head("linear", seed=stable_seed(0, run.key.fold, run.key.budget, run.key.draw))
        head.fit(features[rows], label[rows], groups=group[rows])
        expected = head.predict_proba(features[tested])
        np.testing.assert_allclose(run.probabilities, expected, atol=1e-5)
        np.testing.assert_allclose(run.probabilities.sum(axis=1), 1, atol=1e-5)
        assert run.cost.wall_s > 0
        assert run.cost.parameters_trained > 0


def test_runs_hold_predictions_made_inside_the_budget(tmp_path, make_store):
    """The oracle fits the head again and looks up which images it held out."""
    store = make_store()
    fit([store], tmp_path / "out", design=SMALL, jobs=1)
    plan = Plan.load(tmp_path / "out" / "plan.json")
    for run in RunStore(tmp_path / "out"):
        rows = plan.train_rows(run.key.fold, run.key.budget, run.key.draw)
        head = make_head("linear", seed=stable_seed(0, run.key.fold, run.key.budget, run.key.draw))
        head.fit(store.numpy()[rows], store.label[rows], groups=store.group[rows])
        np.testing.assert_array_equal(run.held_out.label, store.label[rows][head.held_out_.rows])
        np.testing.assert_allclose(
            run.held_out.probabilities, head.held_out_.probabilities, atol=1e-5
        )
        assert len(run.held_out.label) == run.train_images


def test_results_csv_has_the_scores_of_every_run(tmp_path, make_store):
    fit([make_store()], tmp_path / "out", design=SMALL, jobs=1)
    runs = {run.key.file_name: run for run in RunStore(tmp_path / "out")}
    with (tmp_path / "out" / "results.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == len(runs) == 3
    for row in rows:
        run = runs[row["run"]]
        expected = balanced_accuracy_score(run.test.label, run.probabilities.argmax(axis=1))
        assert float(row["balanced_accuracy"]) == pytest.approx(expected, abs=1e-5)


def test_work_continues_and_grows(tmp_path, make_store):
    store, out = make_store(), tmp_path / "out"
    fit([store], out, design=SMALL, jobs=1)
    files = {path: path.stat().st_mtime_ns for path in (out / "runs").iterdir()}
    removed = sorted(files)[0]
    removed.unlink()
    again = fit([store], out, design=SMALL, jobs=1)
    assert (again.trained, again.reused) == (1, 2)
    assert all(path.stat().st_mtime_ns == files[path] for path in files if path != removed)
    more = fit([store], out, design=replace(SMALL, budgets=(20, 50, 100), draws=3), jobs=1)
    assert (more.trained, more.reused) == (2, 3)


def test_the_same_call_gives_the_same_probabilities(tmp_path, make_store):
    store = make_store()
    design = replace(SMALL, budgets=(100,))
    for name in ("a", "b"):
        fit_heads([store], tmp_path / name, design=design, jobs=1)
    pairs = list(zip(RunStore(tmp_path / "a"), RunStore(tmp_path / "b"), strict=True))
    assert len(pairs) == 3
    for first, second in pairs:
        assert first.key == second.key
        np.testing.assert_array_equal(first.probabilities, second.probabilities)


def test_processes_give_what_one_process_gives(tmp_path, make_store):
    store = make_store()
    fit([store], tmp_path / "one", design=SMALL, jobs=1)
    fit([store], tmp_path / "two", design=SMALL, jobs=2)
    pairs = zip(RunStore(tmp_path / "one"), RunStore(tmp_path / "two"), strict=True)
    for first, second in pairs:
        np.testing.assert_allclose(first.probabilities, second.probabilities, atol=1e-5)


def test_two_backbones_share_one_plan_and_one_test_set(tmp_path, make_store):
    stores = [make_store("a.h5", backbone="a"), make_store("b.h5", backbone="b", dimension=9)]
    fit(stores, tmp_path / "out", design=SMALL, jobs=1)
    runs = list(RunStore(tmp_path / "out"))
    assert len({run.key.plan for run in runs}) == 1
    assert len({run.test.fingerprint for run in runs}) == 1
    assert {run.key.backbone for run in runs} == {"a", "b"}


def test_another_plan_in_the_same_folder_is_refused(tmp_path, make_store):
    store, out = make_store(), tmp_path / "out"
    fit([store], out, design=SMALL, jobs=1)
    with pytest.raises(PlanError, match=r"another Plan: .*split"):
        fit([store], out, design=replace(SMALL, split="random"), jobs=1)
    assert len(list(RunStore(out))) == 3


def test_a_random_split_leaks_lesions_and_says_so(tmp_path, make_store):
    store = make_store()
    fit([store], tmp_path / "out", design=replace(SMALL, split="random"), jobs=1)
    plan = Plan.load(tmp_path / "out" / "plan.json")
    run = next(iter(RunStore(tmp_path / "out")))
    assert run.split == "random"
    train = plan.group[plan.train_rows(0, 100, 0)]
    assert set(train) & set(run.test.group)


def test_excluded_classes_take_no_part(tmp_path, make_store):
    design = replace(SMALL, exclude_classes=("class1",))
    fit([make_store()], tmp_path / "out", design=design, jobs=1)
    run = next(iter(RunStore(tmp_path / "out")))
    assert run.classes == ("class0", "class2")
    assert run.probabilities.shape[1] == 2
    assert set(run.test.label) == {0, 1}


def test_external_validation_matches_classes_by_name(tmp_path, make_store):
    train = make_store("train.h5")
    # The same clusters, seen on other lesions; a class is missing and the codes differ.
    test = make_store("test.h5", lesions=(20, 10, 8), prefix="X", seed=0)
    test = replace(test, attributes={**test.attributes, "classes": ["CLASS0", "Class1", "class2"]})
    fit([train], tmp_path / "out", design=SMALL, tests=[test], jobs=1)
    runs = list(RunStore(tmp_path / "out"))
    assert len(runs) == 3
    for run in runs:
        assert run.test.name == "test.h5"
        assert set(run.test.image_id) == set(test.image_id)
        assert run.key.test == run.test.fingerprint
        assert not set(run.test.group) & set(train.group)


def test_external_classes_that_the_training_set_lacks_are_named(tmp_path, make_store):
    test = make_store("test.h5", lesions=(5, 5, 5, 5), prefix="X")
    with pytest.raises(DataError, match="class3 against class0, class1, class2"):
        fit([make_store()], tmp_path / "out", design=SMALL, tests=[test], jobs=1)


def test_an_external_set_of_another_backbone_is_refused(tmp_path, make_store):
    test = make_store("test.h5", prefix="X", backbone="other")
    with pytest.raises(StoreError, match="no --test file is of net: the test files are of other"):
        fit([make_store()], tmp_path / "out", design=SMALL, tests=[test], jobs=1)


def test_test_images_with_the_pixels_of_training_images_are_refused(tmp_path, make_store):
    train, test = make_store("train.h5"), make_store("test.h5", prefix="X")
    hashes = np.array([f"{row:032x}" for row in range(len(train))])
    train, test = replace(train, image_hash=hashes), replace(test, image_hash=hashes)
    with pytest.raises(DataError, match=r"also in .*train.h5: the same content"):
        fit([train], tmp_path / "out", design=SMALL, tests=[test], jobs=1)


def test_stores_of_different_data_are_refused(tmp_path, make_store):
    stores = [make_store("a.h5"), make_store("b.h5", lesions=(30, 12, 9))]
    with pytest.raises(StoreError, match="cannot be compared: their images"):
        fit(stores, tmp_path / "out", design=SMALL, jobs=1)


def test_images_known_by_pixels_there_and_by_files_here_are_refused(tmp_path, make_store):
    """Of two photographs that are one, only one of the files would tell."""
    first, second = make_store("a.h5"), make_store("b.h5", backbone="b")
    hashes = np.array([f"{row:032x}" for row in range(len(first))])
    other = np.array([f"{row:031x}f" for row in range(len(first))])
    stores = [replace(first, image_hash=hashes), replace(second, image_hash=other)]
    with pytest.raises(StoreError, match=r"their hashes of images differ\. .* --decoder"):
        fit(stores, tmp_path / "out", design=SMALL, jobs=1)


def test_the_same_store_twice_is_refused(tmp_path, make_store):
    store = make_store()
    with pytest.raises(UsageError, match="hold the same features"):
        fit([store, replace(store)], tmp_path / "out", design=SMALL, jobs=1)


def test_one_class_and_too_few_lesions_are_refused(tmp_path, make_store):
    one = make_store("one.h5", lesions=(40,))
    with pytest.raises(PlanError, match="class"):
        fit([one], tmp_path / "out", design=SMALL, jobs=1)
    single = make_store("single.h5", lesions=(40, 30, 1))
    with pytest.raises(PlanError, match="class2"):
        fit([single], tmp_path / "out", design=SMALL, jobs=1)


def test_an_unknown_class_to_exclude_is_named(tmp_path, make_store):
    with pytest.raises(UsageError, match="--exclude-class nevus: the classes are class0"):
        fit([make_store()], tmp_path / "out", design=replace(SMALL, exclude_classes=("nevus",)))


def test_rows_without_features_take_no_part(tmp_path, make_store):
    store = make_store()
    done = np.ones(len(store), dtype=bool)
    done[:7] = False
    fit([replace(store, done=done)], tmp_path / "out", design=SMALL, jobs=1)
    plan = Plan.load(tmp_path / "out" / "plan.json")
    assert len(plan) == len(store) - 7
    assert not set(plan.image_id) & set(store.image_id[:7])


def test_runs_of_other_head_options_are_not_reused(tmp_path, make_store, monkeypatch):
    """A changed default must not be averaged with Runs of the old one."""
    store, out = make_store(), tmp_path / "out"
    fit([store], out, design=SMALL, jobs=1)
    monkeypatch.setattr(HEADS["linear"], "recipe", 99)
    again = fit([store], out, design=SMALL, jobs=1)
    assert (again.trained, again.reused) == (3, 0)
    assert len(gather([out]).methods) == 2


def test_a_second_test_set_in_one_folder_is_refused(tmp_path, make_store):
    train, test = make_store("train.h5"), make_store("test.h5", prefix="X")
    fit([train], tmp_path / "out", design=SMALL, jobs=1)
    with pytest.raises(PlanError, match="tested on other images: on held-out fold"):
        fit([train], tmp_path / "out", design=SMALL, tests=[test], jobs=1)


@pytest.mark.parametrize(
    ("kept", "what"), [("image_id", "the same image id"), ("group", "the same lesion")]
)
def test_test_images_that_were_trained_on_are_refused_by_name(tmp_path, make_store, kept, what):
    train, test = make_store("train.h5"), make_store("test.h5", prefix="X")
    test = replace(test, **{kept: getattr(train, kept)})
    with pytest.raises(DataError, match=what):
        fit([train], tmp_path / "out", design=SMALL, tests=[test], jobs=1)


def test_an_excluded_class_of_the_test_set_takes_no_part(tmp_path, make_store):
    train, test = make_store("train.h5"), make_store("test.h5", prefix="X")
    design = replace(SMALL, exclude_classes=("class1",))
    fit([train], tmp_path / "out", design=design, tests=[test], jobs=1)
    run = next(iter(RunStore(tmp_path / "out")))
    assert set(run.test.label) == {0, 1}
    assert len(run.test.label) == np.sum(test.label != 1)


def test_a_failed_first_command_leaves_no_plan_behind(tmp_path, make_store):
    test = make_store("test.h5", prefix="X", backbone="other")
    with pytest.raises(StoreError):
        fit([make_store()], tmp_path / "out", design=SMALL, tests=[test], jobs=1)
    assert not (tmp_path / "out" / "plan.json").exists()


def test_the_saved_plan_keeps_the_draws_of_all_runs(tmp_path, make_store):
    store, out = make_store(), tmp_path / "out"
    fit([store], out, design=replace(SMALL, draws=3, budgets=(20,)), jobs=1)
    before = (out / "plan.json").read_text()
    fit([store], out, design=replace(SMALL, draws=1, budgets=(20,)), jobs=1)
    assert (out / "plan.json").read_text() == before


def test_a_damaged_run_is_trained_again(tmp_path, make_store):
    store, out = make_store(), tmp_path / "out"
    fit([store], out, design=SMALL, jobs=1)
    path = sorted((out / "runs").iterdir())[0]
    path.write_bytes(path.read_bytes()[:100])
    again = fit([store], str(out), design=SMALL, jobs=1)
    assert (again.trained, again.reused) == (1, 2)


def test_a_killed_sweep_continues(tmp_path, make_store):
    store, out = make_store(), tmp_path / "out"
    code = (
        "import sys, os; from pathlib import Path\n"
        "import featkit.sweep.fitting as fitting; from featkit import Design, FeatureStore\n"
        "store = FeatureStore.from_hdf5(sys.argv[1], features='features', label='label',\n"
        "    group='group', image_id='image_id', backbone='net')\n"
        "class Killer:\n"
        "    def start(self, *a, **k): pass\n"
        "    def finish(self): pass\n"
        "    def advance(self, amount, *, note=''): os.kill(os.getpid(), 9)\n"
        "design = Design(\n"
        "    budgets=(20, 100), draws=2, draws_large=1, folds=3)\n"
        "fitting.fit([store], sys.argv[2], heads=['linear'], design=design, jobs=1,\n"
        "    progress=Killer())"
    )
    command = [sys.executable, "-c", code, str(store.path), str(out)]
    assert subprocess.run(command, check=False).returncode == -9
    again = fit([store], out, design=SMALL, jobs=1)
    assert again.trained == 2
    assert again.reused == 1


def test_an_official_split_tests_on_its_own_test_set(tmp_path, make_store):
    store = make_store()
    tested = np.char.endswith(store.group, "3")
    split = np.where(tested, "test", "train")
    design = replace(SMALL, split="official")
    fit([replace(store, split=split)], tmp_path / "out", design=design, jobs=1)
    for run in RunStore(tmp_path / "out"):
        assert run.test.name == "official test set"
        assert set(run.test.image_id) == set(store.image_id[tested])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": ()}, "no head"),
        ({"heads": ("svm",)}, "svm"),
        ({"imbalance": "prayer"}, "prayer"),
    ],
)
def test_impossible_heads_are_refused(tmp_path, make_store, options, message):
    with pytest.raises(UsageError, match=message):
        fit([make_store()], tmp_path / "out", **options)


def test_runs_lie_where_the_caller_is_even_if_the_processes_began_elsewhere(
    tmp_path, make_store, monkeypatch
):
    """joblib keeps processes for the next fit; they stay in the folder that they began in."""
    store, design = make_store(), Design(budgets=(20, 100), draws=1)
    for place in ("one", "other"):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        assert fit([store], "runs", design=design, jobs=2).trained == 2
        assert len(list(RunStore(tmp_path / place / "runs"))) == 2


def test_a_head_given_twice_is_trained_once(tmp_path, make_store):
    design = replace(SMALL, budgets=(20,), draws=1)
    sweep = fit([make_store()], tmp_path / "out", heads=("linear", "linear"), design=design, jobs=1)
    assert sweep.trained == 1


def test_images_csv_names_every_image_that_may_be_tested(tmp_path, make_store):
    store = make_store()
    metadata = {"site": np.array(["back", "face"])[np.arange(len(store)) % 2]}
    fit([replace(store, metadata=metadata)], tmp_path / "out", design=SMALL, jobs=1)
    with (tmp_path / "out" / "images.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [row["image_id"] for row in rows] == list(store.image_id)
    assert [row["label"] for row in rows] == [store.classes[label] for label in store.label]
    assert [row["site"] for row in rows] == list(metadata["site"])


def test_commands_txt_has_each_command_once_as_the_command_line_takes_it(tmp_path, make_store):
    store, out = make_store(), tmp_path / "out"
    for design in (SMALL, SMALL, replace(SMALL, budgets=(50,), exclude_classes=("class1",))):
        if design.exclude_classes:
            out = tmp_path / "other"
        fit([store], out, design=design, jobs=1)
    noted = [(tmp_path / name / "commands.txt").read_text() for name in ("out", "other")]
    assert noted[0] == (
        f"featkit fit {store.path} --head linear --imbalance weights --views plain "
        f"--out {tmp_path / 'out'} --budgets 20,100 --draws 2 --draws-large 1 --folds 3 "
        "--use-folds 1 --split grouped --seed 0\n"
    )
    assert "--budgets 50" in noted[1]
    assert "--exclude-class class1" in noted[1]
