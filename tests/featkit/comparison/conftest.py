from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from featkit.comparison import Evidence, Grid, compare, gather
from featkit.runs import Cost, HeldOut, Run, RunKey, RunStore, TestSet

CLASSES = ("bkl", "mel", "nv")


def make_run(
    method: str = "linear",
    *,
    backbone: str = "net",
    budget: float = 100.0,
    draw: int = 0,
    fold: int = 0,
    skill: float = 1.0,
    plan: str = "plan",
    imbalance: str = "weights",
    lesions: int = 60,
    split: str = "grouped",
    frozen: bool = True,
    held_out: int = 0,
    held_out_skill: float | None = None,
    device_s: float | None = None,
    features_s: float = 0.0,
) -> Run:
    """Make a Run whose predictions are as good as `skill`, on one fixed test set a fold.

    `held_out` is the number of held-out images, as good as `held_out_skill` or else `skill`.
    """
    world = np.random.default_rng(fold)
    of_lesion = world.integers(0, 3, lesions)
    lesion = world.integers(0, lesions, 2 * lesions)
    label = of_lesion[lesion].astype(np.int16)
    noise = np.random.default_rng([draw, int(budget), len(method), len(backbone)])
    probabilities = predict(noise, label, skill)
    inner = noise.integers(0, 3, held_out).astype(np.int16)
    seen = predict(noise, inner, skill if held_out_skill is None else held_out_skill)
    test = TestSet(
        "held-out fold",
        np.array([f"F{fold}I{row}" for row in range(len(label))]),
        np.array([f"F{fold}L{number}" for number in lesion]),
        label,
    )
    key = RunKey(
        method, backbone, fold, budget, draw, {"imbalance": imbalance}, f"features {backbone}", plan
    )
    return Run(
        key=key,
        classes=CLASSES,
        test=test,
        probabilities=probabilities,
        train_lesions=int(3 * budget),
        train_images=int(4 * budget),
        cost=Cost(
            2.0 * budget,
            1.0 * budget if device_s is None else device_s,
            10,
            24,
            100.0,
            features_s=features_s,
        ),
        split=split,
        frozen=frozen,
        held_out=HeldOut(inner, seen) if held_out else None,
    )


def predict(noise: np.random.Generator, label: np.ndarray, skill: float) -> np.ndarray:
    odds = np.exp(noise.normal(size=(len(label), 3)) + skill * np.eye(3)[label])
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def write_runs(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of Runs: `write_runs(run, run, …, folder="name")`."""

    def write(*runs: Run, folder: str = "runs") -> Path:
        store = RunStore(tmp_path / folder)
        for run in runs:
            store.save(run)
        return tmp_path / folder

    return write


@pytest.fixture(name="make_run")
def make_run_fixture() -> Callable[..., Run]:
    return make_run


@pytest.fixture
def make_grid(write_runs: Callable[..., Path]) -> Callable[..., Grid]:
    """Return a maker of grids: `make_grid(run, run, …)`."""
    return lambda *runs: gather(write_runs(*runs))


@pytest.fixture
def make_evidence(make_grid: Callable[..., Grid]) -> Callable[..., Evidence]:
    """Return a maker of evidence: `make_evidence(run, run, …, resamples=100)`."""

    def make(*runs: Run, resamples: int = 100, metric: str = "balanced_accuracy") -> Evidence:
        grid = make_grid(*runs)
        return Evidence(grid, compare(grid, resamples=resamples, metric=metric))

    return make
