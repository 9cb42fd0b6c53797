from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from featkit.errors import PlanError, UsageError
from featkit.plans import make_plan


@pytest.fixture
def plan(table):
    return make_plan(**table, folds=4)


def test_known_plan_never_changes():
    """Runs on disk name the fingerprint: whoever changes this orphans all of them."""
    plan = make_plan(
        image_id=[f"i{number:02d}" for number in range(24)],
        label=[number // 12 for number in range(24)],
        group=[f"g{number // 2:02d}" for number in range(24)],
        classes=("nv", "mel"),
        folds=3,
    )
    assert plan.fingerprint == "81004371cc7b74769a1a7926b2496b1d654ce9baf6241051732f8d2e2a65d751"
    assert plan.image_id[plan.test_rows(2)].tolist() == [
        "i00",
        "i01",
        "i06",
        "i07",
        "i14",
        "i15",
        "i22",
        "i23",
    ]
    assert plan.image_id[plan.train_rows(2, 50, 1)].tolist() == [
        "i04",
        "i05",
        "i10",
        "i11",
        "i12",
        "i13",
        "i16",
        "i17",
    ]


@pytest.mark.parametrize("change", [{"seed": 1}, {"folds": 5}, {"split": "random"}])
def test_fingerprint_depends_on_the_design(table, plan, change):
    assert make_plan(**({**table, "folds": 4} | change)).fingerprint != plan.fingerprint


@pytest.mark.parametrize(
    ("column", "value"), [("image_id", "other"), ("label", 1), ("group", "lesion001")]
)
def test_fingerprint_depends_on_the_images(table, plan, column, value):
    table[column] = table[column].copy()
    table[column][0] = value
    assert make_plan(**table, folds=4).fingerprint != plan.fingerprint


def test_asking_for_other_budgets_and_draws_changes_nothing(table, plan):
    before = plan.train_rows(0, 25, 1)
    plan.describe([1, 2, 3], range(9))
    np.testing.assert_array_equal(plan.train_rows(0, 25, 1), before)
    assert plan.fingerprint == make_plan(**table, folds=4).fingerprint


def test_draws_differ_below_the_full_budget(plan):
    small = {tuple(plan.train_rows(0, 10, draw)) for draw in range(5)}
    full = {tuple(plan.train_rows(0, 100, draw)) for draw in range(5)}
    assert len(small) == 5
    assert len(full) == 1


def test_budget_is_a_share_of_the_training_lesions_of_each_class(plan):
    rows = plan.train_rows(0, 20, 0)
    lesions = [len(set(plan.group[rows[plan.label[rows] == number]])) for number in range(3)]
    # 45, 15 and 7 or 8 lesions are free to train on; at least two of each are taken.
    assert lesions == [9, 3, 2]


def test_describe_counts_what_is_trained_on(plan):
    sets = plan.describe([100, 5], [0, 1])
    assert [(item.fold, item.budget, item.draw) for item in sets[:4]] == [
        (0, 5.0, 0),
        (0, 5.0, 1),
        (0, 100.0, 0),
        (0, 100.0, 1),
    ]
    assert len(sets) == plan.folds * 4
    item = sets[0]
    rows = plan.train_rows(0, 5, 0)
    assert item.n_images == len(rows) == sum(item.images_by_class)
    assert item.n_lesions == len(set(plan.group[rows]))
    assert item.images_by_class == tuple(np.sum(plan.label[rows] == n) for n in range(3))


def test_plan_travels_to_workers(plan):
    copy = pickle.loads(pickle.dumps(plan))
    assert copy.fingerprint == plan.fingerprint


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda plan: plan.test_rows(4), "fold 4: the plan has 4 test"),
        (lambda plan: plan.test_rows(-1), "fold -1"),
        (lambda plan: plan.train_rows(0, 0, 0), "budget 0:"),
        (lambda plan: plan.train_rows(0, 101, 0), "budget 101:"),
        (lambda plan: plan.train_rows(0, 10, -1), "draw -1"),
    ],
)
def test_questions_that_cannot_be_meant(plan, ask, message):
    with pytest.raises(UsageError, match=message):
        ask(plan)


def changed(plan, **columns):
    return dataclasses.replace(plan, **columns)


def test_check_finds_a_lesion_on_two_sides(plan):
    fold_of = plan.fold_of.copy()
    row = next(row for row, name in enumerate(plan.group) if np.sum(plan.group == name) > 1)
    fold_of[row] = (fold_of[row] + 1) % 4
    with pytest.raises(PlanError, match=f"lesion {plan.group[row]} is on two sides"):
        changed(plan, fold_of=fold_of).check()


def test_check_finds_a_fold_without_a_class(plan):
    fold_of = np.where((plan.fold_of == 2) & (plan.label == 2), 3, plan.fold_of)
    with pytest.raises(PlanError, match="test fold 2 has no image of class df"):
        changed(plan, fold_of=fold_of.astype(np.int16)).check()


def test_check_finds_an_empty_fold(plan):
    with pytest.raises(PlanError, match="test fold 4 is empty"):
        changed(plan, folds=5).check()


def test_check_finds_a_class_with_nothing_to_train_on(plan):
    fold_of = np.where(plan.label == 2, 1, plan.fold_of)
    plan = changed(plan, fold_of=fold_of.astype(np.int16), split="official", folds=2)
    with pytest.raises(PlanError, match=r"fold 1 at 1% has 0 lesion\(s\) of class df"):
        plan.check()


def test_check_finds_budgets_that_are_not_nested(plan, monkeypatch):
    rows = {budget: plan.train_rows(0, budget, 0) for budget in (1.0, 10.0, 50.0, 100.0)}
    rows[10.0] = plan.train_rows(0, 10, 1)
    monkeypatch.setattr(type(plan), "train_rows", lambda self, fold, budget, draw: rows[budget])
    with pytest.raises(PlanError, match="at 10% lacks images of a smaller budget"):
        plan.check()


def test_check_finds_test_images_in_training(plan, monkeypatch):
    monkeypatch.setattr(type(plan), "train_rows", lambda self, *a, **k: self.test_rows(0)[:1])
    with pytest.raises(PlanError, match="holds test images"):
        plan.check()
