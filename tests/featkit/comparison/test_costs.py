import pytest

from featkit.comparison import compare


def test_a_run_alone_pays_for_all_its_features(make_run, make_grid):
    grid = make_grid(make_run(device_s=3.0, features_s=40.0), make_run("mlp", device_s=5.0))
    cell = compare(grid, resamples=100).cell("net / linear", 100.0)
    assert cell is not None
    assert cell.alone_s == 43.0


def test_runs_on_the_same_features_pay_for_one_extraction_together(make_run, make_grid):
    """The budgets of two heads: 40 s of features once, in proportion to what each Run uses."""
    runs = [
        make_run(method, budget=budget, device_s=1.0, features_s=0.4 * budget)
        for method in ("linear", "mlp")
        for budget in (10.0, 50.0, 100.0)
    ]
    found = compare(make_grid(*runs), resamples=100)
    shares = {(cell.method, cell.budget): cell.shared_s - 1.0 for cell in found.cells}
    assert sum(shares.values()) == pytest.approx(40.0)
    assert shares["net / linear", 100.0] == pytest.approx(10 * shares["net / mlp", 10.0])


def test_other_backbones_and_other_stores_share_nothing(make_run, make_grid):
    runs = [make_run(backbone=name, device_s=0.0, features_s=8.0) for name in ("net", "other")]
    found = compare(make_grid(*runs), resamples=100)
    assert [cell.shared_s for cell in found.cells] == [8.0, 8.0]


def test_fine_tuning_has_no_features_to_share(make_run, make_grid):
    runs = [make_run(features_s=9.0), make_run("finetune-full", frozen=False, device_s=70.0)]
    cell = compare(make_grid(*runs), resamples=100).cell("net / finetune-full", 100.0)
    assert cell is not None
    assert (cell.alone_s, cell.shared_s, cell.frozen) == (70.0, 70.0, False)
