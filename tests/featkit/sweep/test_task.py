"""Bundles of Runs: what is fitted in one go, and what each Run of it says."""

from functools import partial

import numpy as np
import pytest

from featkit.errors import UsageError
from featkit.experiment import Design
from featkit.heads import HEADS
from featkit.runs import RunStore
from featkit.sweep import _running as _task
from featkit.sweep import fit as fit_heads

fit = partial(fit_heads, heads=("linear",), jobs=1)

DESIGN = Design(budgets=(20, 100), draws=3, folds=3)


@pytest.fixture
def bundles(monkeypatch):
    """The rows trained on of each bundle that is fitted, as they come."""
    found = []
    inside = _task.fit_together

    def spy(heads, samples):
        found.append([sample.features for sample in samples])
        inside(heads, samples)

    monkeypatch.setattr(_task, "fit_together", spy)
    return found


@pytest.mark.parametrize(
    ("shares", "sizes"),
    [("nothing", [1, 1, 1, 1, 1, 1]), ("rows", [1, 1, 1, 3]), ("steps", [3, 3])],
)
def test_draws_of_a_budget_are_fitted_in_one_go_where_they_share_work(
    tmp_path, make_store, bundles, monkeypatch, shares, sizes
):
    """At 100% all draws are of the same rows."""
    monkeypatch.setattr(HEADS["linear"], "shares", shares)
    assert fit([make_store()], tmp_path / "out", design=DESIGN).trained == 6
    assert sorted(len(features) for features in bundles) == sizes
    assert len(list(RunStore(tmp_path / "out"))) == 6


def test_draws_of_the_same_rows_are_copied_once(tmp_path, make_store, bundles):
    fit([make_store()], tmp_path / "out", design=DESIGN)
    (together,) = [features for features in bundles if len(features) == 3]
    assert together[0] is together[1] is together[2]


def test_a_bundle_in_part_done_gives_the_same_probabilities(tmp_path, make_store, bundles):
    """An interruption leaves some Runs of a bundle: the others come out as they would have."""
    store = make_store()
    for name in ("whole", "part"):
        fit([store], tmp_path / name, design=DESIGN)
    whole = {run.key.file_name: run for run in RunStore(tmp_path / "whole")}
    for run in whole.values():
        if run.key.budget == 100 and run.key.draw in {0, 2}:
            (tmp_path / "part" / "runs" / run.key.file_name).unlink()
    bundles.clear()
    assert fit([store], tmp_path / "part", design=DESIGN).trained == 2
    assert [len(features) for features in bundles] == [2]
    for run in RunStore(tmp_path / "part"):
        before = whole[run.key.file_name]
        assert run.chosen["C"] == before.chosen["C"]
        np.testing.assert_allclose(run.probabilities, before.probabilities, atol=1e-4)


def test_a_run_costs_its_share_of_the_bundle(tmp_path, make_store, monkeypatch):
    """Clocks that tick once a look: what a bundle cost is known, and divided by rows."""
    ticks = iter(range(10_000))
    monkeypatch.setattr(HEADS["linear"], "shares", "steps")
    monkeypatch.setattr(_task, "worked_seconds", lambda device: 60.0 * next(ticks))
    fit([make_store()], tmp_path / "out", design=DESIGN)
    for budget in DESIGN.budgets:
        runs = [run for run in RunStore(tmp_path / "out") if run.key.budget == budget]
        assert sum(run.cost.device_s for run in runs) == pytest.approx(60)
        rows = sum(run.train_images for run in runs)
        for run in runs:
            assert run.cost.device_s == pytest.approx(60 * run.train_images / rows)
            assert run.cost.images_seen == run.train_images


def test_a_device_that_is_not_there_is_refused_before_anything_is_written(tmp_path, make_store):
    with pytest.raises(UsageError, match="no such kind of device"):
        fit([make_store()], tmp_path / "out", design=DESIGN, device="abacus")
    assert not (tmp_path / "out").exists()
