"""A study is run, continued, changed and estimated."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from featkit.errors import BackboneError, DataError, FeatkitError, PlanError, StoreError, UsageError
from featkit.files import output_lock
from featkit.finetuning import recipe
from featkit.heads import LinearHead
from featkit.runs import RunStore
from featkit.studies import load_study, run_study, study_state

FINETUNE = (
    "[arms.proper.fit.frozen]",
    "[arms.proper.finetune.tuned]\nrecipe = { epochs = 1, min_steps = 0 }\n\n"
    "[arms.proper.fit.frozen]",
)


def run(path, out, *settings, **options):
    lines = []
    study = load_study(path, settings=settings)
    outcome = run_study(study, out, device="cpu", workers=1, jobs=1, tell=lines.append, **options)
    return outcome, lines


def states(path, out, *settings, estimate=False):
    state = study_state(load_study(path, settings=settings), out, device="cpu", estimate=estimate)
    return {step.name: step.state for step in state.steps}


def probabilities(out):
    return {
        path.relative_to(out): RunStore.read(path).probabilities
        for path in sorted((out / "runs").rglob("*.npz"))
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory, study_text):
    """The small study, run once; take a copy to change it."""
    folder = tmp_path_factory.mktemp("finished")
    path = folder / "toy.toml"
    path.write_text(study_text.replace(*FINETUNE))
    outcome, lines = run(path, folder / "out")
    return path, folder / "out", outcome, lines


@pytest.fixture
def copy(finished, tmp_path):
    """The study's file and a copy of what it left."""
    path, out, _, _ = finished
    return path, shutil.copytree(out, tmp_path / "out")


def test_it_does_everything_in_order(finished):
    _, out, outcome, lines = finished
    assert [line.partition("] ")[2] for line in lines] == [
        "extract tiny",
        "fit original/frozen tiny",
        "fit proper/frozen tiny",
        "finetune proper/tuned tiny",
        "report original",
        "report proper",
        "summary",
    ]
    assert (outcome.trained, outcome.reused) == (6, 0)
    assert outcome.random == ("original",)
    assert not outcome.ungrouped
    for name in ("study.html", "study.md", "summary.json", "original/report.html"):
        assert (out / name).exists()
    assert (out / "proper" / "comparison" / "learning_curve.png").exists()
    with (out / "proper" / "results.csv").open() as handle:
        assert [row["method"] for row in csv.DictReader(handle)] == ["linear"] * 2 + [
            "finetune-full"
        ] * 2
    analysis = json.loads((out / "proper" / "analysis.json").read_text())
    assert analysis["headline"]["answer"] in (out / "proper" / "report.html").read_text()


def test_the_page_says_in_red_what_leaks_and_shows_both_arms_beside_the_number(finished):
    _, out, outcome, _ = finished
    page, markdown = (out / "study.html").read_text(), (out / "study.md").read_text()
    assert 'class="banner"' in page and "Random split" in page
    assert markdown.count("**Random split") == 1
    assert list(outcome.rows[0]) == [
        "what",
        "published",
        "original (RANDOM split)",
        "proper (grouped split)",
    ]
    assert outcome.rows[0]["published"] == "0.900"
    assert "best of 2 on these test images" in outcome.rows[0]["proper (grouped split)"]
    assert "With a second sentence." in page


def test_a_number_on_the_page_is_the_number_of_the_runs(finished):
    _, out, outcome, _ = finished
    (folder,) = (out / "runs" / "original" / "frozen").iterdir()
    (run_,) = [run_ for run_ in RunStore(folder) if run_.key.budget == 100]
    accuracy = np.mean(run_.probabilities.argmax(axis=1) == run_.test.label)
    assert outcome.rows[0]["original (RANDOM split)"].startswith(f"{accuracy:.3f} [")


def test_done_work_is_not_done_again(copy):
    path, out = copy
    before = {file: file.stat().st_mtime_ns for file in out.rglob("*.*") if file.suffix != ".lock"}
    outcome, lines = run(path, out)
    assert lines == []
    assert (outcome.trained, outcome.reused) == (0, 6)
    after = {file: file.stat().st_mtime_ns for file in before}
    changed = {file.name for file in before if before[file] != after[file]}
    assert changed == {"study.json"}
    assert set(states(path, out).values()) == {"done"}


def test_missing_runs_are_made_again_and_equal(copy):
    path, out = copy
    known = probabilities(out)
    removed = [min(known), max(known)]
    for name in removed:
        (out / name).unlink()
    found = states(path, out)
    assert found["fit original/frozen tiny"] == "partly (1 of 2 Runs)"
    assert found["finetune proper/tuned tiny"] == "partly (1 of 2 Runs)"
    assert found["report original"] == found["summary"] == "pending"
    assert found["extract tiny"] == found["fit proper/frozen tiny"] == "done"
    outcome, lines = run(path, out)
    assert (outcome.trained, outcome.reused) == (2, 4)
    assert lines[0] == "[2/7] fit original/frozen tiny (1 of 2 Runs are there)"
    for name, values in probabilities(out).items():
        np.testing.assert_array_equal(values, known[name])


def test_further_budgets_add_runs_and_say_so(copy):
    path, out = copy
    known = set(probabilities(out))
    outcome, lines = run(path, out, "design.budgets=25,50,100")
    assert lines[:2] == [
        "changed: design.budgets: 50,100 -> 25,50,100",
        "3 Runs to be made, 6 kept",
    ]
    assert known < set(probabilities(out))
    assert (outcome.trained, outcome.reused) == (3, 6)


@pytest.mark.parametrize(
    ("setting", "change", "again"),
    [
        (
            "arms.original.fit.frozen.imbalance=none",
            "arms.original.fit.frozen.imbalance: weights -> none",
            {"fit original/frozen tiny", "report original", "summary"},
        ),
        (
            "arms.proper.design.seed=3",
            "arms.proper.design.seed: default -> 3",
            {
                "fit proper/frozen tiny",
                "finetune proper/tuned tiny",
                "report proper",
                "summary",
            },
        ),
        (
            "arms.proper.finetune.tuned.recipe.lr=0.01",
            "arms.proper.finetune.tuned.recipe.lr: added",
            {"finetune proper/tuned tiny", "report proper", "summary"},
        ),
        ("note=Other", "note: A test. With a second sentence. -> Other", {"summary"}),
        (
            "report.resamples=200",
            "report.resamples: 100 -> 200",
            {"report original", "report proper", "summary"},
        ),
    ],
)
def test_only_what_changed_is_to_be_done(copy, setting, change, again):
    path, out = copy
    state = study_state(load_study(path, settings=[setting]), out, device="cpu", estimate=False)
    assert state.changes == (change,)
    assert {step.name for step in state.steps if step.state != "done"} == again


def test_runs_of_an_older_recipe_are_not_taken_for_those_of_the_present_one(copy, monkeypatch):
    path, out = copy
    newer = {**recipe._DEFAULTS, "full": {"lr": 1e-5}}
    monkeypatch.setattr(recipe, "_DEFAULTS", newer)
    found = states(path, out)
    assert found["finetune proper/tuned tiny"] == "pending"
    assert found["fit proper/frozen tiny"] == "done"
    monkeypatch.setattr(LinearHead, "recipe", LinearHead.recipe + 1)
    assert states(path, out)["fit proper/frozen tiny"] == "pending"


def test_a_declared_pair_concerns_the_arms_that_train_both(copy):
    """An arm with one side only is reported all the same."""
    path, out = copy
    outcome, _ = run(path, out, 'report.pair=["linear", "finetune-full"]')
    assert outcome.trained == 0
    contrasts = json.loads((out / "proper" / "comparison" / "contrasts.json").read_text())
    assert contrasts["declared"][0]["frozen"] == "tiny / linear"
    assert not (out / "original" / "comparison" / "contrasts.json").exists()


def test_a_changed_design_has_its_own_folder_and_the_way_back_finds_the_old_one(copy):
    path, out = copy
    known = probabilities(out)
    setting = "arms.original.fit.frozen.imbalance=none"
    outcome, _ = run(path, out, setting)
    assert (outcome.trained, outcome.reused) == (2, 4)
    folders = list((out / "runs" / "original" / "frozen").iterdir())
    assert len(folders) == 2
    outcome, lines = run(path, out)
    assert outcome.trained == 0
    assert lines[0] == "changed: arms.original.fit.frozen.imbalance: none -> weights"
    assert set(known) < set(probabilities(out))
    report = json.loads((out / "original" / "comparison" / "comparison.json").read_text())
    assert report["methods"] == ["tiny / linear"]


def test_other_images_never_meet_old_runs(copy):
    path, out = copy
    found = states(path, out, "data.spec=synthetic:images=130,size=32")
    assert set(found.values()) == {"pending"}


def test_a_killed_study_is_continued_to_the_same_result(finished, tmp_path):
    path, done, _, _ = finished
    out = tmp_path / "out"
    command = [sys.executable, "-m", "featkit_cli", "run", str(path), "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [*command, "--jobs", "1", "--workers", "1", "--device", "cpu"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while (
        not list((out / "runs").rglob("*.npz"))
        and process.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < len(probabilities(out)) < 6
    run(path, out)
    whole = probabilities(done)
    again = probabilities(out)
    assert set(again) == set(whole)
    for name, values in again.items():
        np.testing.assert_allclose(values, whole[name], atol=1e-6)


def test_times_are_estimated_from_runs_where_there_are_some(copy, tmp_path):
    path, out = copy
    fresh = study_state(load_study(path), tmp_path / "new", device="cpu")
    by_name = {step.name: step for step in fresh.steps}
    assert by_name["extract tiny"].basis == "a trial of the network"
    assert by_name["fit proper/frozen tiny"].basis == "a trial of the heads"
    assert by_name["finetune proper/tuned tiny"].basis == "a trial of the network"
    assert by_name["report proper"].seconds is None
    assert fresh.seconds > 0
    assert not (tmp_path / "new").exists()
    more = study_state(load_study(path, settings=["design.budgets=25,50,100"]), out, device="cpu")
    by_name = {step.name: step for step in more.steps}
    assert by_name["fit proper/frozen tiny"].basis == "finished Runs"
    assert by_name["finetune proper/tuned tiny"].basis == "finished Runs"
    assert by_name["extract tiny"].seconds is None


def test_an_estimate_from_runs_is_their_rate_times_the_images(copy):
    path, out = copy
    settings = ["arms.proper.design.draws=3"]
    state = study_state(load_study(path, settings=settings), out, device="cpu")
    (step,) = [step for step in state.steps if step.name == "finetune proper/tuned tiny"]
    (folder,) = (out / "runs" / "proper" / "tuned").iterdir()
    runs = list(RunStore(folder))
    rate = sum(run_.cost.wall_s for run_ in runs) / sum(run_.cost.images_seen for run_ in runs)
    # Two more draws of 50% and 100% of about 80 training images, one epoch each.
    assert step.seconds == pytest.approx(rate * 2 * (40 + 80), rel=1e-6)


def test_an_unfinished_extraction_is_called_begun(write_study, tmp_path):
    path, out = write_study(), tmp_path / "out"
    study = load_study(path)

    class Stopping:
        def start(self, *args, **options):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(study, out, device="cpu", workers=1, progress=Stopping())
    assert states(path, out)["extract tiny"] == "begun (file)"


def test_fine_tuning_without_its_package_is_refused_before_anything_is_done(
    write_study, tmp_path, monkeypatch
):
    monkeypatch.setattr("featkit.studies._steps.find_spec", lambda name: None)
    path = write_study(FINETUNE)
    with pytest.raises(FeatkitError, match=r"cannot finetune proper/tuned tiny: .*accelerate"):
        run(path, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.h5"))


def test_a_study_without_data_names_what_it_is_made_for(tmp_path):
    with pytest.raises(UsageError, match=r"scaling-laws names no data: .*HAM10000.*--data"):
        run_study("scaling-laws", tmp_path)
    with pytest.raises(DataError, match="nowhere does not exist"):
        run_study(load_study("scaling-laws", data="ham10000:nowhere"), tmp_path)


def test_an_unknown_backbone_is_named(write_study, tmp_path):
    path = write_study(("featkit:tiny", "featkit:tinny"))
    with pytest.raises(BackboneError, match="unknown backbone featkit:tinny"):
        run(path, tmp_path / "out")


def test_two_processes_do_not_write_one_folder(write_study, tmp_path):
    out = tmp_path / "out"
    with (
        output_lock(out / "study.json"),
        pytest.raises(StoreError, match="being written by another process"),
    ):
        run(write_study(), out)


def test_a_damaged_memory_of_the_study_is_no_obstacle(copy):
    path, out = copy
    (out / "study.json").write_text("{")
    (out / "original" / "summary.json").write_text("[]")
    outcome, lines = run(path, out)
    assert outcome.trained == 0
    assert [line.partition("] ")[2] for line in lines] == ["report original"]


def test_a_design_that_the_data_cannot_support_is_refused_before_any_work(write_study, tmp_path):
    path = write_study(("folds = 3", "folds = 90"))
    with pytest.raises(PlanError, match="arm proper: "):
        run_study(load_study(path, settings=["arms.original.design.folds=3"]), tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.h5"))
