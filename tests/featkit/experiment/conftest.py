"""A small table of images, and Runs on its Plan."""

import numpy as np
import pytest

from featkit.experiment import Design, ImageTable, fold_test, plan_of
from featkit.runs import Cost, Run, RunKey

CLASSES = ("nv", "mel", "bcc")


def make_table(lesions=(12, 9, 6), *, prefix="", seed=0, **fields):
    """One or two images of each lesion, in mixed order."""
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(len(lesions)), lesions)
    lesion = rng.permutation(np.repeat(np.arange(len(code)), 1 + np.arange(len(code)) % 2))
    count = len(lesion)
    defaults = {
        "name": "a table",
        "image_id": np.array([f"{prefix}image{row}" for row in range(count)]),
        "label": code[lesion].astype(np.int16),
        "group": np.array([f"{prefix}lesion{number}" for number in lesion]),
        "image_hash": np.array([f"{prefix}hash{row}" for row in range(count)]),
        "classes": CLASSES[: len(lesions)],
        "metadata": {"sex": rng.choice(["f", "m", ""], count)},
    }
    return ImageTable(**{**defaults, **fields})


def make_run(plan, *, method="linear", cell=None, test=None, seed=0):
    fold, budget, draw = (cell.fold, cell.budget, cell.draw) if cell else (0, 100.0, 0)
    tested = fold_test(plan, fold)[1] if test is None else test
    count, classes = len(tested.label), len(plan.classes)
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(classes), count)
    fingerprint = "" if test is None else test.fingerprint
    return Run(
        key=RunKey(method, "net", fold, budget, draw, {}, "f", plan.fingerprint, fingerprint),
        classes=plan.classes,
        test=tested,
        probabilities=probabilities.astype(np.float32),
        train_lesions=5,
        train_images=7,
        cost=Cost(1.0, 2.0, 3, 4, 5.0),
        chosen={"C": 0.1, "scores": [0.1, 0.2]},
    )


@pytest.fixture
def design():
    return Design(budgets=(50, 100), draws=1, folds=3)


@pytest.fixture
def table():
    return make_table()


@pytest.fixture
def plan(table, design):
    return plan_of(table, design)


@pytest.fixture
def fakes():
    """Give the makers above (tests cannot import a conftest)."""

    class Fakes:
        table = staticmethod(make_table)
        run = staticmethod(make_run)

    return Fakes
