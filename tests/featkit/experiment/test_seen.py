from dataclasses import replace

import numpy as np
import pytest

from featkit.errors import PlanError
from featkit.experiment import has_seen, plan_of, refuse_seen


def check(plan, design, table, rows, **options):
    trained_on = table.image_hash[rows]
    refuse_seen(plan, design, table.image_hash, trained_on, backbone="net", **options)


@pytest.fixture
def hashed(fakes):
    plain = fakes.table()
    return replace(plain, image_hash=np.array([f"{row:032x}" for row in range(len(plain))]))


@pytest.mark.parametrize("fold", [0, 1, 2])
@pytest.mark.parametrize("budget", [50.0, 100.0])
def test_only_designs_whose_training_sets_hold_everything_seen_are_allowed(
    plan, design, hashed, fold, budget
):
    """Against all cells of all designs of one fold, told by sets of lesions."""
    rows = plan.train_rows(fold, budget, 0)
    lesions = set(plan.group[rows])
    for folds in (1, 2, 3):
        for wanted in (20.0, 50.0, 80.0, 100.0):
            tried = replace(design, budgets=(wanted,), draws=1, use_folds=folds)
            fine = all(
                lesions <= set(plan.group[plan.train_rows(cell.fold, wanted, 0)])
                for cell in tried.cells()
            )
            if fine:
                check(plan, tried, hashed, rows)
            else:
                with pytest.raises(PlanError, match=r"fine-tuned on lesions|more labels than"):
                    check(plan, tried, hashed, rows)


def test_another_image_of_a_tested_lesion_is_enough(plan, design, hashed):
    tested = plan.test_rows(0)
    group, count = np.unique(plan.group[tested], return_counts=True)
    lesion = group[count > 1][0]
    row = tested[plan.group[tested] == lesion][:1]
    with pytest.raises(PlanError, match=rf"fold 0 tests on.*1 of its .* lesions, such as {lesion}"):
        check(plan, replace(design, use_folds=1), hashed, row)


def test_hashes_of_other_images_and_unknown_ones_say_nothing(plan, design, hashed):
    none = np.array(["f" * 32])
    refuse_seen(plan, design, hashed.image_hash, none, backbone="net", external=hashed)
    unknown = replace(hashed, image_hash=np.full(len(hashed), ""))
    refuse_seen(plan, design, unknown.image_hash, none, backbone="net", external=unknown)


def test_external_test_images_may_not_have_been_trained_on(plan, design, hashed):
    other = replace(hashed, name="other", image_hash=np.char.replace(hashed.image_hash, "0", "e"))
    whole = replace(design, budgets=(100.0,), use_folds=1)
    check(plan, whole, hashed, plan.train_rows(0, 100.0, 0), external=other)
    with pytest.raises(PlanError, match="lesions that other tests on"):
        refuse_seen(
            plan, whole, hashed.image_hash, other.image_hash[:1], backbone="net", external=other
        )


def test_in_a_split_by_image_the_design_of_its_own_run_is_allowed(table, design, hashed):
    by_image = plan_of(table, replace(design, split="random"))
    mine = by_image.train_rows(0, 100.0, 0)
    whole = replace(design, split="random", budgets=(100.0,), use_folds=1)
    assert set(by_image.group[mine]) & set(by_image.group[by_image.test_rows(0)])
    check(by_image, whole, hashed, mine)
    with pytest.raises(PlanError, match=r"fold 1 tests on: .* such as image\d+"):
        check(by_image, replace(whole, use_folds=2), hashed, mine)


def test_a_backbone_has_seen_images_that_it_was_trained_on(hashed):
    assert has_seen(hashed.image_hash, hashed.image_hash[3:4])
    assert not has_seen(hashed.image_hash, np.array(["f" * 32]))
    assert not has_seen(hashed.image_hash, ())
