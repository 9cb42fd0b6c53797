from dataclasses import replace

import numpy as np

from featkit.experiment import fold_test, plan_of
from featkit.plans import make_plan


def test_the_plan_is_that_of_the_tables_columns(table, design):
    pairs = (("image0", "image3"),)
    plan = plan_of(table, replace(design, duplicates=pairs, seed=4))
    expected = make_plan(
        image_id=table.image_id, label=table.label, group=table.group, classes=table.classes,
        image_hash=table.image_hash, duplicates=pairs, split="grouped", folds=3, seed=4,
    )  # fmt: skip
    assert plan.fingerprint == expected.fingerprint
    assert plan.fingerprint != plan_of(table, replace(design, seed=4)).fingerprint
    assert plan.group[0] == plan.group[3]


def test_every_image_is_tested_once(table, design, plan):
    tested = [fold_test(plan, fold) for fold in range(3)]
    rows = np.concatenate([rows for rows, _ in tested])
    assert sorted(rows) == list(range(len(table)))
    for rows, test in tested:
        assert test.name == "held-out fold"
        for name in ("image_id", "group", "label"):
            np.testing.assert_array_equal(getattr(test, name), getattr(plan, name)[rows])


def test_the_official_test_set_has_its_name(fakes, design):
    plain = fakes.table()
    third = np.unique(plain.group, return_inverse=True)[1] % 3
    table = fakes.table(official=np.where(third == 0, "test", "train"))
    rows, test = fold_test(plan_of(table, replace(design, split="official")), 0)
    assert test.name == "official test set"
    assert set(table.official[rows]) == {"test"}
