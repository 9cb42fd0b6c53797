import json

import pytest

from featkit.comparison import analyse, compare, gather
from featkit.errors import PlanError, UsageError


@pytest.fixture
def folder(make_run, write_runs):
    runs = [
        make_run(method, budget=budget, draw=draw, skill=skill, frozen=frozen, held_out=30)
        for method, skill, frozen in (("linear", 1.0, True), ("finetune-full", 2.0, False))
        for budget in (5.0, 20.0, 50.0, 100.0)
        for draw in (0, 1)
    ]
    path = write_runs(*runs)
    rows = [
        f"{name},{'male' if index % 2 else 'female'}"
        for index, name in enumerate(runs[0].test.image_id)
    ]
    (path / "images.csv").write_text("\n".join(["image_id,sex", *rows]))
    return path


class Listener:
    def __init__(self):
        self.heard = []

    def start(self, task, *, total, done=0, unit=""):
        self.heard.append((task, total, 0))

    def advance(self, amount, *, note=""):
        task, total, done = self.heard[-1]
        self.heard[-1] = (task, total, done + amount)

    def finish(self):
        pass


def test_everything_is_analysed_and_becomes_json(folder):
    listener = Listener()
    found = analyse(folder, compare(folder, resamples=100), progress=listener)
    assert listener.heard == [("analyse", 7, 7)]
    value = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert set(value) == set(found.__dataclass_fields__)
    assert len(found.confusion) == len(found.calibration) == 8
    assert len(found.against.declared) == 4
    assert {group.level for group in found.subgroups} == {"male", "female"}
    assert list(found.subgroups[0].scores) == ["net / linear", "net / finetune-full"]
    assert list(found.needed) == list(found.comparison.methods)
    assert found.headline.answer.startswith("On net, ")


def test_a_grid_or_folders_give_the_same_analysis(folder):
    grid = gather(folder)
    comparison = compare(grid, resamples=100)
    by_grid, by_folder = analyse(grid, comparison), analyse([folder], comparison)
    assert by_grid.subgroups == ()  # a grid knows no metadata
    by_grid, by_folder = by_grid.to_dict(), by_folder.to_dict()
    del by_grid["subgroups"], by_folder["subgroups"]
    assert by_grid == by_folder


def test_folders_without_metadata_have_no_subgroups(make_run, write_runs):
    path = write_runs(make_run())
    found = analyse(path, compare(path, resamples=100))
    assert found.subgroups == ()
    assert found.calibration[0].after is None


def test_one_run_is_enough_and_a_perfect_one_has_no_target(make_run, write_runs):
    path = write_runs(make_run(skill=50.0))
    found = analyse(path, compare(path, resamples=100))
    assert found.needed == {}
    assert found.laws == ()
    assert found.mistakes.hard_images == 0


def test_a_metric_of_which_less_is_better(make_run, write_runs):
    path = write_runs(make_run(), make_run("finetune-full", frozen=False))
    found = analyse(path, compare(path, resamples=100, metric="ece"))
    assert found.needed == {}
    assert len(found.against.declared) == 1


def test_bad_wishes_are_refused(folder):
    comparison = compare(folder, resamples=100)
    with pytest.raises(UsageError, match="--target 7"):
        analyse(folder, comparison, target=7.0)
    with pytest.raises(UsageError, match="there are linear"):
        analyse(folder, comparison, pair=("svm", "finetune-full"))


def test_runs_of_different_plans_are_refused(folder, make_run, write_runs):
    other = write_runs(make_run(plan="other"), folder="other")
    with pytest.raises(PlanError, match="cannot be compared"):
        analyse([folder, other])
