import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.errors import PlanError
from featkit.plans import Plan, has_siblings, make_plan

CLASSES = ("a", "b", "c")
BUDGETS = (5, 20, 50, 100)


def make_table(seed, *, lesions=(40, 25, 18)):
    """Ids, labels and lesions of one to five images each, in random order."""
    rng = np.random.default_rng(seed)
    of_class = np.repeat(np.arange(3), lesions)
    of_lesion = np.repeat(np.arange(len(of_class)), rng.integers(1, 6, size=len(of_class)))
    of_lesion = rng.permutation(of_lesion)
    return {
        "image_id": [f"I{row:04d}" for row in range(len(of_lesion))],
        "label": of_class[of_lesion],
        "group": np.char.add("L", of_lesion.astype(str)),
        "classes": CLASSES,
    }


def plans(seed, *, folds=5, **options):
    table = make_table(seed, **options)
    return {
        split: make_plan(**table, split=split, folds=folds, seed=seed)
        for split in ("random", "random-clean", "random-leaky")
    }


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), budget=st.sampled_from(BUDGETS), draw=st.integers(0, 3))
def test_both_training_sets_have_one_size_and_only_one_leaks(seed, budget, draw):
    of = plans(seed, lesions=(60, 40, 30), folds=8)
    random, clean, leaky = of.values()
    test = random.test_rows(1)
    np.testing.assert_array_equal(clean.test_rows(1), test)
    np.testing.assert_array_equal(leaky.test_rows(1), test)
    pool = np.setdiff1d(np.arange(len(random)), test)
    honest, leaking = clean.train_rows(1, budget, draw), leaky.train_rows(1, budget, draw)
    assert set(honest) <= set(pool)
    assert set(leaking) <= set(pool)
    assert not set(clean.group[honest]) & set(clean.group[test])
    np.testing.assert_array_equal(
        np.bincount(clean.label[honest], minlength=3),
        np.bincount(leaky.label[leaking], minlength=3),
    )


def test_the_clean_set_is_all_that_does_not_leak_and_the_leaky_one_has_all_siblings():
    of = plans(3, lesions=(60, 40, 30), folds=8)
    clean, leaky = of["random-clean"], of["random-leaky"]
    test = clean.test_rows(0)
    pool = np.setdiff1d(np.arange(len(clean)), test)
    sibling = np.isin(clean.group[pool], clean.group[test])
    assert set(clean.train_rows(0, 100, 0)) == set(pool[~sibling])
    leaking = set(leaky.train_rows(0, 100, 0))
    assert set(pool[sibling]) <= leaking
    assert leaking <= set(pool)
    other = set(leaky.train_rows(0, 100, 1))
    assert leaking != other, "which clean images stay depends on the draw"


def test_siblings_that_outnumber_the_clean_images_are_taken_in_part():
    of = plans(0, lesions=(30, 25, 20), folds=3)
    clean, leaky = of["random-clean"], of["random-leaky"]
    test, rows = leaky.test_rows(0), leaky.train_rows(0, 100, 0)
    sibling = np.isin(leaky.group[rows], leaky.group[test])
    assert len(rows) == len(clean.train_rows(0, 100, 0))
    assert sibling.all(), "four in five images of such lesions are siblings"


def test_budgets_are_nested_and_hold_siblings_in_proportion():
    leaky = plans(1, lesions=(400, 300, 200), folds=8)["random-leaky"]
    test = leaky.group[leaky.test_rows(0)]
    shares, smaller = [], set()
    for budget in (20, 50, 100):
        rows = leaky.train_rows(0, budget, 0)
        assert smaller <= set(rows)
        smaller = set(rows)
        shares.append(np.isin(leaky.group[rows], test).mean())
    np.testing.assert_allclose(shares, shares[-1], atol=0.06)


def test_training_sets_do_not_depend_on_the_order_of_rows():
    table = make_table(4, lesions=(60, 40, 30))
    order = np.random.default_rng(0).permutation(len(table["label"]))
    turned = {
        name: np.asarray(column)[order] if name != "classes" else column
        for name, column in table.items()
    }
    one, other = (make_plan(**t, split="random-leaky", folds=8) for t in (table, turned))
    assert one.fingerprint == other.fingerprint
    np.testing.assert_array_equal(
        one.image_id[one.train_rows(2, 50, 1)], other.image_id[other.train_rows(2, 50, 1)]
    )


def test_the_plans_of_the_arms_differ_and_can_be_audited(tmp_path):
    of = plans(2, lesions=(60, 40, 30), folds=8)
    assert len({plan.fingerprint for plan in of.values()}) == 3
    for split, plan in of.items():
        plan.save(tmp_path / f"{split}.json", folds=1, draws=1)
        again = Plan.load(tmp_path / f"{split}.json")
        np.testing.assert_array_equal(again.train_rows(0, 20, 0), plan.train_rows(0, 20, 0))


def test_images_with_siblings_are_those_whose_lesion_is_on_both_sides():
    plan = plans(5, lesions=(60, 40, 30), folds=8)["random"]
    test = plan.test_rows(3)
    groups = plan.group.tolist()
    pool = {groups[row] for row in range(len(plan)) if row not in set(test)}
    expected = [groups[row] in pool for row in test]
    np.testing.assert_array_equal(has_siblings(plan, 3), expected)


def test_too_few_clean_images_are_refused_by_name():
    table = make_table(0, lesions=(40, 25, 3))
    with pytest.raises(PlanError, match=r"the plan does not hold.*class c"):
        make_plan(**table, split="random-clean", folds=2)
