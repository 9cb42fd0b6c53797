from dataclasses import replace

import pytest

from featkit.comparison import gather
from featkit.errors import PlanError, StoreError


def test_the_grid_has_every_method_budget_and_draw(write_runs, make_run):
    runs = [
        make_run(method, budget=budget, draw=draw)
        for method in ("mlp", "linear")
        for budget in (100.0, 5.0)
        for draw in (0, 1)
    ]
    grid = gather([write_runs(*runs)])
    assert grid.methods == ("net / linear", "net / mlp")
    assert grid.budgets == (5.0, 100.0)
    assert all(set(cell) == {(0, 0), (0, 1)} for cell in grid.cells.values())
    assert len(grid.cells) == 4


def test_methods_of_one_name_are_told_apart_by_what_differs(write_runs, make_run):
    grid = gather([write_runs(make_run(), make_run(imbalance="none"))])
    expected = {"net / linear (imbalance=weights)", "net / linear (imbalance=none)"}
    assert set(grid.methods) == expected


def test_folders_are_put_together(write_runs, make_run):
    folders = [write_runs(make_run(), folder="a"), write_runs(make_run("mlp"), folder="b")]
    assert gather(folders).methods == ("net / linear", "net / mlp")


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match=f"no Runs in {tmp_path}"):
        gather([tmp_path])


def test_runs_of_different_plans_are_refused(write_runs, make_run):
    folders = [
        write_runs(make_run(), folder="a"),
        write_runs(make_run("mlp", plan="other"), folder="b"),
    ]
    with pytest.raises(PlanError, match="cannot be compared"):
        gather(folders)


def test_runs_of_different_plans_name_the_difference(tmp_path, make_store):
    from featkit.experiment import Design
    from featkit.sweep import fit

    for seed in (0, 1):
        design = Design(budgets=(100,), draws=1, seed=seed)
        fit([make_store()], tmp_path / str(seed), design=design, jobs=1)
    with pytest.raises(PlanError, match="seed"):
        gather([tmp_path / "0", tmp_path / "1"])


def test_different_test_sets_are_refused(write_runs, make_run):
    folder = write_runs(make_run(), make_run("mlp", lesions=50))
    with pytest.raises(PlanError, match="some were tested on"):
        gather([folder])


def test_internal_and_external_runs_are_not_mixed(write_runs, make_run):
    internal, external = make_run(fold=0), make_run(fold=1)
    external = replace(external, key=replace(external.key, test="elsewhere"))
    with pytest.raises(PlanError, match="some were tested on"):
        gather([write_runs(internal, external)])


def test_one_experiment_with_two_results_is_refused(write_runs, make_run):
    first = make_run()
    second = replace(first, probabilities=first.probabilities[:, ::-1].copy())
    folders = [write_runs(first, folder="a"), write_runs(second, folder="b")]
    with pytest.raises(PlanError, match="made twice with different results"):
        gather(folders)
    assert len(gather([folders[0], folders[0]]).cells) == 1
