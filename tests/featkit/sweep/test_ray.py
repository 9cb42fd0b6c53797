import os
import signal

import numpy as np
import pytest

from featkit.errors import StoreError, UsageError
from featkit.experiment import Design
from featkit.runs import RunStore
from featkit.sweep import fit

pytest.importorskip("ray", reason="needs Ray (the extra `ray`)")
pytestmark = pytest.mark.slow

SMALL = Design(budgets=(25, 100), draws=2, folds=3, use_folds=1)


HEADS = ["linear", "lightgbm"]


def runs(folder):
    return {run.key.digest: run for run in RunStore(folder)}


def test_the_same_runs_as_the_local_engine(make_store, tmp_path, on_ray):
    stores = [make_store("a.h5", backbone="a"), make_store("b.h5", backbone="b", seed=1)]
    sweep = fit(stores, tmp_path / "ray", heads=HEADS, design=SMALL, engine="ray")
    fit(stores, tmp_path / "local", heads=HEADS, design=SMALL, jobs=2)
    ours, theirs = runs(tmp_path / "ray"), runs(tmp_path / "local")
    assert sweep.trained == len(ours) == 2 * 2 * 4
    assert ours.keys() == theirs.keys()
    for key, run in ours.items():
        np.testing.assert_array_equal(run.probabilities, theirs[key].probabilities)
        assert run.chosen == theirs[key].chosen
    assert not list((tmp_path / "ray").glob(".shared*"))
    again = fit(stores, tmp_path / "ray", heads=HEADS, design=SMALL, engine="ray")
    assert (again.trained, again.reused) == (0, len(ours))


class Killer:
    """Kills a process that is fitting, when the first Run is there."""

    def __init__(self, cluster):
        self.cluster, self.killed = cluster, []

    def start(self, task, *, total, done=0, unit=""):
        self.total = total

    def advance(self, amount, *, note=""):
        while not self.killed:
            self.killed = self.cluster.busy("run_batch")[:1]
        if len(self.killed) == 1:
            os.kill(self.killed[0], signal.SIGKILL)
            self.killed.append("done")

    def finish(self):
        pass


def test_a_killed_worker_s_fit_is_made_again(make_store, tmp_path, on_ray):
    store, killer = make_store(), Killer(on_ray)
    sweep = fit(
        [store], tmp_path / "ray", heads=["lightgbm"], design=SMALL, engine="ray", progress=killer
    )
    fit([store], tmp_path / "local", heads=["lightgbm"], design=SMALL, jobs=1)
    assert killer.killed[1:] == ["done"]
    ours, theirs = runs(tmp_path / "ray"), runs(tmp_path / "local")
    assert sweep.trained == len(ours) == len(theirs)
    for key, run in ours.items():
        np.testing.assert_array_equal(run.probabilities, theirs[key].probabilities)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engine": "dask"}, "--engine dask: there is no such engine"),
        ({"engine": "ray", "device": "cuda:1"}, "--device cuda:1 with --engine ray"),
        ({"engine": "ray", "device": "cuda"}, "no machine of the cluster has a GPU"),
    ],
)
def test_what_cannot_be_meant(make_store, tmp_path, on_ray, options, words):
    with pytest.raises(UsageError, match=words):
        fit([make_store()], tmp_path / "out", heads=["linear"], design=SMALL, **options)


def test_a_machine_that_does_not_see_the_folder(make_store, tmp_path, on_ray, monkeypatch):
    # What such a machine sees: no token where it was put.
    monkeypatch.setattr("pathlib.Path.touch", lambda *_, **__: None)
    with pytest.raises(StoreError, match=r"does not see the folder .* share"):
        fit([make_store()], tmp_path / "out", heads=["linear"], design=SMALL, engine="ray")
