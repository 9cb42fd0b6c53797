"""Cached views through `fit`: names, costs and probabilities against heads fitted by hand."""

from dataclasses import replace
from functools import partial

import h5py
import numpy as np
import pytest

from featkit.errors import StoreError, UsageError
from featkit.experiment import Design
from featkit.fingerprints import stable_seed
from featkit.heads import Views, make_head
from featkit.plans import Plan
from featkit.runs import RunStore
from featkit.sweep import fit as fit_heads

DESIGN = Design(budgets=(50,), draws=1, folds=3)
fit = partial(fit_heads, heads=("linear",), design=DESIGN, jobs=1)


@pytest.fixture
def make_views(make_store):
    """A maker of stores with several views of each image."""

    def make(name="views.h5", *, views=3, **options):
        store = make_store(name, **options)
        plain = store.numpy()
        noise = np.random.default_rng(5).normal(size=(len(store), views, plain.shape[1]))
        noise[:, 0] = 0
        with h5py.File(store.path, "a") as file:
            file["many"] = (plain[:, None] + 0.5 * noise).astype(np.float32)
        attributes = {**store.attributes, "cost": {"worked_seconds": 6.0 * len(store)}}
        shape = (len(store), views, plain.shape[1])
        return replace(store, features_name="many", shape=shape, attributes=attributes)

    return make


@pytest.mark.parametrize(
    ("options", "used", "method"),
    [
        ({}, Views(), "linear"),
        ({"views": "all"}, Views(train=3), "linear+views"),
        ({"views": 2}, Views(train=2), "linear+views"),
        ({"views": "all", "tta": True}, Views(3, 3), "linear+views+tta"),
        ({"views": 2, "tta": True}, Views(2, 2), "linear+views+tta"),
        ({"tta": True}, Views(test=3), "linear+tta"),
        ({"views": 1, "tta": True}, Views(test=3), "linear+tta"),
    ],
)
def test_runs_are_what_the_head_gives_on_these_views(tmp_path, make_views, options, used, method):
    store, out = make_views(), tmp_path / "out"
    fit([store], out, **options)
    plan = Plan.load(out / "plan.json")
    (run,) = RunStore(out)
    assert run.key.method == method
    assert {name: run.key.config.get(name) for name in used.identity()} == used.identity()
    rows, test = plan.train_rows(0, 50, 0), plan.test_rows(0)
    features = store.numpy(views="all")
    head = make_head("linear", seed=stable_seed(0, 0, 50.0, 0))
    head.fit(features[rows], store.label[rows], groups=store.group[rows], views=used)
    expected = head.predict_proba(features[test, : used.test])
    np.testing.assert_allclose(run.probabilities, expected, atol=1e-5)
    assert len(run.held_out.label) == run.train_images == len(rows)
    assert run.cost.images_seen == len(rows) * used.needed
    assert run.cost.features_s == pytest.approx(len(rows) * used.needed * 2.0)


def test_variants_stand_side_by_side_and_plain_runs_stay_what_they_were(
    tmp_path, make_views, make_store
):
    out = tmp_path / "out"
    store = make_views()
    for options in ({}, {"views": "all"}, {"views": "all", "tta": True}, {"tta": True}):
        assert fit([store], out, **options).trained == 1
    assert fit([store], out, views=3).trained == 0
    runs = {run.key.method: run for run in RunStore(out)}
    assert set(runs) == {"linear", "linear+tta", "linear+views", "linear+views+tta"}
    fit([make_store("plain.h5")], tmp_path / "plain")
    (plain,) = RunStore(tmp_path / "plain")
    assert plain.key.config == runs["linear"].key.config
    np.testing.assert_array_equal(plain.probabilities, runs["linear"].probabilities)


def test_an_external_test_set_is_averaged_over_its_own_views(tmp_path, make_views):
    train, test = make_views("train.h5"), make_views("test.h5", prefix="X")
    fit([train], tmp_path / "out", views="all", tta=True, tests=[test])
    (run,) = RunStore(tmp_path / "out")
    plan = Plan.load(tmp_path / "out" / "plan.json")
    rows = plan.train_rows(0, 50, 0)
    head = make_head("linear", seed=stable_seed(0, 0, 50.0, 0))
    features = train.numpy(views="all")[rows]
    head.fit(features, train.label[rows], groups=train.group[rows], views=Views(3, 3))
    expected = head.predict_proba(test.numpy(views="all"))
    np.testing.assert_allclose(run.probabilities, expected, atol=1e-5)


def test_an_external_test_set_without_views_is_refused_for_tta_only(
    tmp_path, make_views, make_store
):
    train, test = make_views("train.h5"), make_store("test.h5", prefix="X")
    with pytest.raises(StoreError, match=r"test.h5 holds one view of each image.*--views 5"):
        fit([train], tmp_path / "out", tta=True, tests=[test])
    assert fit([train], tmp_path / "out", views="all", tests=[test]).trained == 1


@pytest.mark.parametrize("options", [{"views": "all"}, {"tta": True}, {"views": 4}])
def test_a_store_of_one_view_names_the_remedy(tmp_path, make_store, options):
    with pytest.raises(StoreError, match=r"one view of each image.*extract --views 5"):
        fit([make_store()], tmp_path / "out", **options)
    assert not (tmp_path / "out" / "plan.json").exists()


def test_more_views_than_are_stored_are_refused(tmp_path, make_views):
    with pytest.raises(StoreError, match=r"3 views of each image.*need 7.*extract --views 7"):
        fit([make_views()], tmp_path / "out", views=7)


@pytest.mark.parametrize("wanted", ["many", 0, -1])
def test_views_that_cannot_be_meant_are_refused(tmp_path, make_views, wanted):
    with pytest.raises(UsageError, match=r"--views .*plain.*all"):
        fit([make_views()], tmp_path / "out", views=wanted)
