from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from featkit.runs import Cost, Run, RunKey, RunStore, TestSet

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
) -> Run:
    """Make a Run whose predictions are as good as `skill`, on one fixed test set a fold."""
    world = np.random.default_rng(fold)
    of_lesion = world.integers(0, 3, lesions)
    lesion = world.integers(0, lesions, 2 * lesions)
    label = of_lesion[lesion].astype(np.int16)
    noise = np.random.default_rng([draw, int(budget), len(method), len(backbone)])
    logits = noise.normal(size=(len(label), 3)) + skill * np.eye(3)[label]
    odds = np.exp(logits)
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
        probabilities=(odds / odds.sum(axis=1, keepdims=True)).astype(np.float32),
        train_lesions=int(3 * budget),
        train_images=int(4 * budget),
        cost=Cost(2.0 * budget, 1.0 * budget, 10, 24, 100.0),
        split=split,
    )


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
