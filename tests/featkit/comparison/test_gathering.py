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


def test_rows_go_from_light_to_heavy(write_runs, make_run):
    """By backbone: heads, heads with views, fine-tuning."""
    heads = ["linear", "lightgbm", "mlp", "linear+views", "mlp+views", "linear+views+tta"]
    tuned = ["finetune-head", "finetune-last", "finetune-full", "finetune-lp-ft"]
    runs = [make_run(method) for method in sorted(heads)]
    runs += [make_run(method, frozen=False) for method in sorted(tuned)]
    runs.append(make_run("mlp", backbone="another"))
    grid = gather(write_runs(*runs))
    assert grid.methods == ("another / mlp", *(f"net / {name}" for name in heads + tuned))


def test_the_order_of_twins_does_not_depend_on_file_names(write_runs, make_run):
    runs = [make_run(imbalance=name) for name in ("weights", "none", "oversample")]
    rows = gather(write_runs(*runs)).methods
    assert [row.split("=")[1][:-1] for row in rows] == ["none", "oversample", "weights"]


def test_one_folder_may_stand_alone(write_runs, make_run):
    folder = write_runs(make_run())
    assert gather(folder).methods == gather(str(folder)).methods == ("net / linear",)


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
        fit([make_store()], tmp_path / str(seed), heads=["linear"], design=design, jobs=1)
    with pytest.raises(PlanError, match="seed"):
        gather([tmp_path / "0", tmp_path / "1"])


def test_images_that_only_one_design_has_are_named(tmp_path, make_store):
    """As where an image failed to decode for one of them."""
    from featkit.experiment import Design
    from featkit.sweep import fit

    design = Design(budgets=(100,), draws=1)
    for name, lesions in (("all", (60, 24, 15)), ("fewer", (60, 24, 14))):
        store = make_store(f"{name}.h5", lesions=lesions)
        fit([store], tmp_path / name, heads=["linear"], design=design, jobs=1)
    with pytest.raises(PlanError, match=r"only .*/all has I\d+.*`featkit data check`"):
        gather([tmp_path / "all", tmp_path / "fewer"])


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
