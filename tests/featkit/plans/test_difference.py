from __future__ import annotations

import numpy as np
import pytest

from featkit.plans import make_plan, named_difference


def test_same_design_differs_in_nothing(table):
    assert named_difference(make_plan(**table), make_plan(**table)) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 3}, "seed (0 and 3)"),
        ({"folds": 4}, "folds (5 and 4)"),
        ({"split": "random"}, "split (grouped and random)"),
        ({"classes": ("nv", "mel", "vasc")}, "classes (nv, mel, df and nv, mel, vasc)"),
        ({"seed": 3, "folds": 4}, "folds (5 and 4); seed (0 and 3)"),
    ],
)
def test_options_are_named(table, change, message):
    found = named_difference(make_plan(**table), make_plan(**(table | change)))
    assert found is not None
    assert message in found


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("image_id", "other", "images (1 only in the first, 1 only in the second)"),
        ("label", 1, "labels (of 1 image)"),
        ("group", "zzz", "lesions (of 1 image)"),
        ("label", -1, "images (1 only in the first, 0 only in the second)"),
    ],
)
def test_changed_rows_are_counted(table, column, value, message):
    other = {**table, column: table[column].copy()}
    other[column][0] = value
    found = named_difference(make_plan(**table), make_plan(**other))
    assert found is not None
    assert message in found


def test_official_splits_with_other_sides(table):
    side = np.where(np.isin(table["group"], np.unique(table["group"])[::2]), "test", "train")
    swapped = np.where(side == "test", "train", "test")
    one, two = (make_plan(**table, official=s, split="official") for s in (side, swapped))
    assert named_difference(one, two) == "which images are tested"
