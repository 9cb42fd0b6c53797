from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.errors import PlanError, UsageError
from featkit.plans import Plan, make_plan


@st.composite
def tables(draw):
    """Random class sizes, lesion sizes and duplicates, with enough lesions for the folds."""
    folds = draw(st.integers(2, 6))
    n_classes = draw(st.integers(2, 5))
    # Twice as many as needed, so that duplicates may merge some.
    lesions = [draw(st.integers(2 * max(folds, 4), 40)) for _ in range(n_classes)]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lesion_class = np.repeat(np.arange(n_classes), lesions)
    images = rng.integers(1, 6, len(lesion_class))
    number = np.repeat(np.arange(len(lesion_class)), images)
    image_hash = np.array([f"hash{index}" for index in range(len(number))])
    for _ in range(draw(st.integers(0, 4))):
        first, second = rng.choice(len(number), 2, replace=False)
        image_hash[first] = image_hash[second]
    return {
        "image_id": np.array([f"image{index}" for index in rng.permutation(len(number))]),
        "label": lesion_class[number].astype(np.int16),
        "group": np.array([f"lesion{index}" for index in number]),
        "image_hash": image_hash,
        "classes": tuple(f"class{index}" for index in range(n_classes)),
        "folds": folds,
        "seed": draw(st.integers(0, 9)),
    }


@settings(max_examples=30, deadline=None)
@given(
    table=tables(),
    split=st.sampled_from(["grouped", "random"]),
    budgets=st.lists(st.floats(0.1, 100), min_size=2, max_size=4),
    draw=st.integers(0, 20),
)
def test_properties_hold_for_any_table(table, split, budgets, draw):
    plan = make_plan(**table, split=split)
    unit = plan.image_id if split == "random" else plan.group
    tested = np.concatenate([plan.test_rows(fold) for fold in range(plan.folds)])
    assert sorted(tested) == list(range(len(plan)))
    for fold in range(plan.folds):
        test = plan.test_rows(fold)
        assert set(plan.label[test]) == set(range(len(plan.classes)))
        smaller: set[int] = set()
        for budget in sorted(budgets):
            rows = plan.train_rows(fold, budget, draw)
            assert not set(unit[rows]) & set(unit[test])
            assert smaller <= set(rows)
            for number in range(len(plan.classes)):
                assert len(set(unit[rows[plan.label[rows] == number]])) >= 2
            # Lesions are taken whole.
            assert set(rows) == set(np.flatnonzero(np.isin(unit, unit[rows])))
            smaller = set(rows)
        everything = np.setdiff1d(np.arange(len(plan)), test)
        np.testing.assert_array_equal(np.sort(plan.train_rows(fold, 100, draw)), everything)


@settings(max_examples=15, deadline=None)
@given(table=tables(), seed=st.integers(0, 99))
def test_order_of_rows_does_not_matter(table, seed):
    order = np.random.default_rng(seed).permutation(len(table["image_id"]))
    shuffled = {
        name: value[order] if isinstance(value, np.ndarray) else value
        for name, value in table.items()
    }
    plan, other = make_plan(**table), make_plan(**shuffled)
    assert plan.fingerprint == other.fingerprint
    np.testing.assert_array_equal(plan.fold_of[order], other.fold_of)
    for rows, others in (
        (plan.test_rows(0), other.test_rows(0)),
        (plan.train_rows(1, 12.5, 3), other.train_rows(1, 12.5, 3)),
    ):
        np.testing.assert_array_equal(plan.image_id[rows], other.image_id[others])


def test_lesions_and_images_are_balanced_over_folds(table):
    plan = make_plan(**table, folds=5)
    for number in range(3):
        rows = [plan.test_rows(fold) for fold in range(5)]
        rows = [fold_rows[plan.label[fold_rows] == number] for fold_rows in rows]
        lesions = [len(set(plan.group[fold_rows])) for fold_rows in rows]
        images = [len(fold_rows) for fold_rows in rows]
        assert max(lesions) - min(lesions) <= 1
        assert max(images) - min(images) <= 2


def test_rows_without_label_take_no_part(table):
    table["label"][:7] = -1
    plan = make_plan(**table)
    assert not np.isin(np.arange(7), plan.train_rows(0, 100, 0)).any()
    assert not np.isin(np.arange(7), plan.test_rows(0)).any()
    assert np.all(plan.fold_of[:7] == -1)
    kept = {
        name: value[7:] if isinstance(value, np.ndarray) else value for name, value in table.items()
    }
    assert make_plan(**kept).fingerprint == plan.fingerprint


def test_random_split_deals_images_and_keeps_lesions_for_the_bootstrap(table):
    plan = make_plan(**table, split="random")
    np.testing.assert_array_equal(plan.group, table["group"])
    test, train = plan.test_rows(0), plan.train_rows(0, 100, 0)
    assert set(plan.group[test]) & set(plan.group[train])


def test_lesions_that_share_an_image_stay_together(table):
    image_hash = np.array([f"hash{row}" for row in range(len(table["label"]))])
    one, two = np.flatnonzero(table["group"] == "lesion003"), np.flatnonzero(table["label"] == 2)
    image_hash[one[0]] = image_hash[two[0]]
    plan = make_plan(**table, image_hash=image_hash)
    merged = plan.group == "lesion003"
    assert merged.sum() == len(one) + np.sum(table["group"] == table["group"][two[0]])
    assert len(set(plan.fold_of[merged])) == 1
    # The rarer class decides where it counts, and images keep their own labels.
    assert plan.units.label[plan.units.of_row[one[0]]] == 2
    assert plan.label[one[0]] == 0


def official(table):
    side = np.where(np.arange(len(table["group"])) % 4 == 0, "test", "train")
    by_lesion = dict(zip(table["group"], side, strict=True))
    return np.array([by_lesion[name] for name in table["group"]])


def test_official_split_is_kept(table):
    side = official(table)
    side[(side == "train") & (table["label"] == 0)] = "val"
    plan = make_plan(**table, official=side, split="official")
    assert plan.folds == 1
    assert plan.dropped == 0
    np.testing.assert_array_equal(np.sort(plan.test_rows(0)), np.flatnonzero(side == "test"))
    np.testing.assert_array_equal(
        np.sort(plan.train_rows(0, 100, 0)), np.flatnonzero(side != "test")
    )


def test_official_split_without_test_images_tests_on_val(table):
    side = np.where(official(table) == "test", "val", "train")
    plan = make_plan(**table, official=side, split="official")
    np.testing.assert_array_equal(np.sort(plan.test_rows(0)), np.flatnonzero(side == "val"))


def test_official_training_images_of_tested_lesions_are_dropped(table):
    side = official(table)
    name = next(name for name in table["group"] if np.sum(table["group"] == name) > 2)
    rows = np.flatnonzero(table["group"] == name)
    side[rows], side[rows[0]] = "train", "test"
    plan = make_plan(**table, official=side, split="official")
    assert plan.dropped == len(rows) - 1
    assert rows[0] in plan.test_rows(0)
    assert not set(rows) & set(plan.train_rows(0, 100, 0))


def test_official_test_set_may_lack_a_class(table):
    side = official(table)
    side[table["label"] == 2] = "train"
    plan = make_plan(**table, official=side, split="official")
    assert set(plan.label[plan.test_rows(0)]) == {0, 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda side: None, "brings no train/val/test"),
        (lambda side: np.where(side == "test", "train", side), "no test images"),
        (lambda side: np.where(side == "test", "Test", side), "“Test” is none of train, val, test"),
        (lambda side: side[:-1], "it names"),
    ],
)
def test_official_split_that_cannot_be_used(table, change, message):
    with pytest.raises(PlanError, match=message):
        make_plan(**table, official=change(official(table)), split="official")


def test_official_training_side_with_a_single_lesion_of_a_class(table):
    side = official(table)
    lesion = table["group"][table["label"] == 2][0]
    side[(table["label"] == 2) & (table["group"] != lesion)] = "test"
    side[table["group"] == lesion] = "train"
    with pytest.raises(PlanError, match=r"class df has 1: training .* --exclude-class df"):
        make_plan(**table, official=side, split="official")


@pytest.mark.parametrize(
    ("lesions", "folds", "message"),
    [
        (1, 5, r"class df has 1: 5 folds need at least 5 lesions .*Add data .*class df"),
        (4, 5, r"class df has 4: 5 folds need at least 5 .*Use --folds 4, add data"),
        (3, 2, r"class df has 3: 2 folds need at least 4 .*Use --folds 3, add data"),
        (0, 3, r"class df has 0: 3 folds need at least 3 .*Add data"),
    ],
)
def test_class_with_too_few_lesions(table, lesions, folds, message):
    names = np.unique(table["group"][table["label"] == 2])
    rows = ~np.isin(table["group"], names[lesions:])
    few = {key: table[key][rows] for key in ("image_id", "label", "group")}
    with pytest.raises(PlanError, match=message):
        make_plan(**few, classes=table["classes"], folds=folds)
    if lesions > 2:
        suggested = int(message.split("--folds ")[1][0])
        make_plan(**few, classes=table["classes"], folds=suggested)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"folds": 1}, UsageError, "1 fold"),
        ({"split": "stratified"}, UsageError, "split stratified: no such split"),
        ({"classes": ("nv",)}, PlanError, r"one class only \(nv\)"),
        ({"classes": ("nv", "mel", "nv")}, PlanError, "two classes have one name"),
        ({"classes": ("nv", "mel")}, PlanError, "label 2: there are 2 classes"),
        ({"image_id": ["image"] * 5}, PlanError, "have shapes"),
        ({"image_hash": ["hash"] * 5}, PlanError, "have shapes"),
        ({"folds": 11}, PlanError, "class df has 10: 11 folds need at least 11"),
    ],
)
def test_options_that_cannot_be_meant(table, change, error, message):
    with pytest.raises(error, match=message):
        make_plan(**(table | change))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("image_id", "image0003", "image image0003: the id comes more than once"),
        ("group", "", "it has no lesion"),
        ("label", -2, "label -2"),
        ("label", None, "no image has a label"),
        ("label", 0.5, "not integers"),
        ("label", "all the same", r"one class only \(df\)"),
    ],
)
def test_tables_that_would_split_wrongly(table, column, value, message):
    if value is None:
        table[column][:] = -1
    elif value == "all the same":
        table[column][:] = 2
    elif isinstance(value, float):
        table[column] = table[column].astype(float)
    else:
        rows = np.flatnonzero(table["image_id"] != "image0003")
        table[column][rows[0]] = value
    with pytest.raises(PlanError, match=message):
        make_plan(**table)


def test_numbers_of_numpy_are_taken(table):
    plan = make_plan(**table, seed=np.int64(3), folds=np.int32(4))
    assert plan.fingerprint == make_plan(**table, seed=3, folds=4).fingerprint
    rows = plan.train_rows(np.int64(1), np.float32(50), np.int64(2))
    np.testing.assert_array_equal(rows, plan.train_rows(1, 50.0, 2))


@pytest.mark.shared
def test_ham10000(shared):
    with (shared / "ham10000/HAM10000_metadata.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    classes = tuple(sorted({row["dx"] for row in rows}))
    plan = make_plan(
        image_id=[row["image_id"] for row in rows],
        label=[classes.index(row["dx"]) for row in rows],
        group=[row["lesion_id"] for row in rows],
        classes=classes,
    )
    assert (len(plan), len(plan.units.name)) == (10_015, 7_470)
    images = np.array(
        [np.bincount(plan.label[plan.test_rows(fold)], minlength=7) for fold in range(5)]
    )
    assert np.all(images.max(axis=0) - images.min(axis=0) <= 1)
    (smallest,) = (item for item in plan.describe([1], [0]) if item.fold == 0)
    assert smallest.n_lesions == 63
    assert min(smallest.images_by_class) >= 2


def test_duplicates_across_lesions_stay_on_one_side(table):
    group, ids = table["group"], table["image_id"]
    pairs = []
    # Pair the first image of successive lesions of the largest class.
    first = {name: row for row, name in reversed(list(enumerate(group)))}
    rows = [first[f"lesion{number:03d}"] for number in range(40)]
    pairs = [(str(ids[a]), str(ids[b])) for a, b in zip(rows[::2], rows[1::2], strict=True)]
    plain, merged = make_plan(**table), make_plan(**table, duplicates=[*pairs, ("no", "such")])
    assert any(
        plain.fold_of[a] != plain.fold_of[b] for a, b in zip(rows[::2], rows[1::2], strict=True)
    )
    for a, b in zip(rows[::2], rows[1::2], strict=True):
        assert merged.group[a] == merged.group[b]
        assert merged.fold_of[a] == merged.fold_of[b]
    assert merged.fingerprint != plain.fingerprint
    assert make_plan(**table, duplicates=pairs[::-1]).fingerprint == merged.fingerprint


@pytest.fixture
def mixed():
    """Three classes of 24 lesions; every other lesion has a single image, the others three."""
    lesion = np.repeat(np.arange(72), np.tile([1, 3], 36))
    return {
        "image_id": np.array([f"image{row}" for row in range(len(lesion))]),
        "label": (lesion // 24).astype(np.int16),
        "group": np.array([f"lesion{number}" for number in lesion]),
        "classes": ("nv", "mel", "df"),
    }


def test_single_image_test_tests_every_lesion_of_one_image_once_and_no_other(mixed):
    plan = make_plan(**mixed, split="single-image-test", folds=3)
    names, count = np.unique(plan.group, return_counts=True)
    single = names[count == 1]
    tested = [plan.group[plan.test_rows(fold)] for fold in range(3)]
    assert sorted(np.concatenate(tested)) == sorted(single)
    for fold in range(3):
        train = plan.train_rows(fold, 100, 0)
        assert len(train) + len(tested[fold]) == len(plan)
        assert set(names[count > 1]) <= set(plan.group[train])
        assert not set(plan.group[train]) & set(tested[fold])


def test_single_image_test_counts_images_of_merged_lesions(mixed):
    names, count = np.unique(mixed["group"], return_counts=True)
    one, other = names[count == 1][:2]
    ids = [str(mixed["image_id"][mixed["group"] == name][0]) for name in (one, other)]
    plan = make_plan(**mixed, split="single-image-test", folds=2, duplicates=[tuple(ids)])
    assert not {one, other} & set(plan.group[plan.fold_of >= 0])


def test_single_image_test_names_a_class_with_too_few_such_lesions(mixed):
    with pytest.raises(PlanError, match=r"too few lesions with a single image: class nv has 12"):
        make_plan(**mixed, split="single-image-test", folds=13)


def test_single_image_test_is_saved_and_read(mixed, tmp_path):
    plan = make_plan(**mixed, split="single-image-test", folds=2)
    plan.save(tmp_path / "plan.json", draws=1)
    assert Plan.load(tmp_path / "plan.json").fingerprint == plan.fingerprint
