import csv
import shlex
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from featkit.errors import PlanError, StoreError
from featkit.experiment import ExperimentFolder, plan_of
from featkit.files import output_lock
from featkit.plans import Plan
from featkit.runs import RunStore, TestSet


@pytest.fixture
def opened(tmp_path, design, table):
    """An opener of a folder with defaults."""

    @contextmanager
    def open_folder(plan, *, design=design, images=table, test=None, command=("fit", "f.h5")):
        folder = ExperimentFolder(tmp_path / "out")
        with folder.opened(plan, design, test=test, images=images, command=command) as runs:
            yield runs

    return open_folder


def elsewhere(seed=0):
    ids = np.array([f"t{seed}-{row}" for row in range(4)])
    return TestSet("elsewhere", ids, ids, np.array([0, 1, 2, 0], dtype=np.int16))


def test_what_a_folder_holds(tmp_path, opened, plan, table, fakes):
    run = fakes.run(plan)
    with opened(plan) as runs:
        runs.save(run)
    out = tmp_path / "out"
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert names == {"commands.txt", "images.csv", "plan.json", "results.csv", "runs"}
    assert Plan.load(out / "plan.json").fingerprint == plan.fingerprint
    assert [found.key.digest for found in RunStore(out)] == [run.key.digest]
    with (out / "results.csv").open() as handle:
        (row,) = csv.DictReader(handle)
    assert (row["method"], row["chosen"], row["device_s"]) == ("linear", "C=0.1", "2.000")
    with (out / "images.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [row["image_id"] for row in rows] == table.image_id.tolist()
    assert [row["label"] for row in rows] == [table.classes[code] for code in table.label]
    assert [row["group"] for row in rows] == table.group.tolist()
    assert [row["sex"] for row in rows] == table.metadata["sex"].tolist()


def test_images_without_a_label_and_columns_of_the_same_name(tmp_path, opened, plan, fakes):
    table = fakes.table()
    label = table.label.copy()
    label[0] = -1
    images = replace(table, label=label, metadata={"label": table.metadata["sex"]})
    with opened(plan, images=images):
        pass
    with (tmp_path / "out" / "images.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert rows[0]["label"] == ""
    assert rows[1]["label"] == table.classes[label[1]]


def test_the_plan_keeps_the_orders_of_earlier_runs(tmp_path, opened, plan, design, fakes):
    wide = replace(design, draws=3, draws_large=3, use_folds=2)
    with opened(plan, design=wide) as runs:
        for number, cell in enumerate(wide.cells()):
            runs.save(fakes.run(plan, cell=cell, seed=number))
    with opened(plan, design=design):
        pass
    again = Plan.load(tmp_path / "out" / "plan.json")
    np.testing.assert_array_equal(again.train_rows(1, 50, 2), plan.train_rows(1, 50, 2))


def test_commands_are_noted_once_in_words_that_a_shell_takes(tmp_path, opened, plan, design):
    for command in (("fit", "my file.h5"), ("finetune", "data"), ("fit", "my file.h5")):
        with opened(plan, command=command):
            pass
    lines = (tmp_path / "out" / "commands.txt").read_text().splitlines()
    assert [shlex.split(line)[:3] for line in lines] == [
        ["featkit", "fit", "my file.h5"],
        ["featkit", "finetune", "data"],
    ]
    words = shlex.split(lines[0])
    assert words[words.index("--out") + 1] == str(tmp_path / "out")
    assert words[-len(design.words()) :] == design.words()


def test_another_plan_is_refused_with_what_differs(opened, plan, table, design, fakes, tmp_path):
    with opened(plan) as runs:
        runs.save(fakes.run(plan))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    other = plan_of(table, replace(design, folds=4, seed=2))
    with (
        pytest.raises(PlanError, match=r"folds \(3 and 4\); seed \(0 and 2\).*--out"),
        opened(other),
    ):
        pass
    assert {path: path.read_bytes() for path in before} == before


def test_another_plan_is_told_by_the_runs_where_its_file_is_gone(
    tmp_path, opened, plan, table, design, fakes
):
    with opened(plan) as runs:
        runs.save(fakes.run(plan))
    (tmp_path / "out" / "plan.json").unlink()
    other = plan_of(table, replace(design, seed=2))
    with (
        pytest.raises(PlanError, match="its Runs were made on other folds or images"),
        opened(other),
    ):
        pass


def test_a_folder_without_runs_takes_any_plan(opened, plan, table, design, tmp_path):
    with opened(plan):
        pass
    other = plan_of(table, replace(design, seed=2))
    with opened(other):
        pass
    assert Plan.load(tmp_path / "out" / "plan.json").fingerprint == other.fingerprint


def test_another_test_set_is_refused(opened, plan, fakes):
    with opened(plan, test=elsewhere()) as runs:
        runs.save(fakes.run(plan, test=elsewhere()))
    for other in (None, elsewhere(1)):
        refused = pytest.raises(PlanError, match="tested on other images: on elsewhere")
        with refused, opened(plan, test=other):
            pass
    with opened(plan, test=elsewhere()) as runs:
        assert len(list(runs)) == 1


def test_one_writer_at_a_time(tmp_path, opened, plan):
    refused = pytest.raises(StoreError, match="written by another process")
    with opened(plan), refused, opened(plan):
        pass
    with output_lock(tmp_path / "out" / "plan.json"):
        pass  # it was let go of
