"""Heads fitted in one go against heads fitted alone."""

import numpy as np
import pytest
from sklearn.base import clone

from featkit.errors import UsageError
from featkit.heads import LinearHead, MLPHead, TrainingSet, Views, fit_together
from featkit.heads._arrays import torch_arrays

HEADS = ["linear", "lightgbm", "mlp"]


@pytest.fixture
def draws(make_lesions):
    """Two heads on the same rows but other inner folds, and one on other rows."""
    first = make_lesions((40, 16, 8), spread=2.0)
    other = make_lesions((30, 16, 8), spread=2.0, seed=5)
    return [TrainingSet(*first), TrainingSet(*first), TrainingSet(*other)]


def seeded(head, count):
    return [clone(head).set_params(random_state=seed) for seed in range(count)]


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_the_same_beside_others_and_alone(small_heads, draws, make_lesions, name):
    heads, alone = seeded(small_heads[name], 3), seeded(small_heads[name], 3)
    fit_together(heads, draws)
    test_X, _, _ = make_lesions((40, 16, 8), spread=2.0, seed=9)
    for head, single, sample in zip(heads, alone, draws, strict=True):
        single.fit(sample.features, sample.label, sample.groups, views=sample.views)
        assert _decided(head) == _decided(single)
        np.testing.assert_allclose(
            head.predict_proba(test_X), single.predict_proba(test_X), atol=1e-4
        )
        np.testing.assert_array_equal(head.held_out_.rows, single.held_out_.rows)
        np.testing.assert_allclose(
            head.held_out_.probabilities, single.held_out_.probabilities, atol=2e-3
        )


def test_heads_on_the_same_rows_have_inner_folds_of_their_own(draws):
    heads = seeded(LinearHead(strengths=(1e-3, 1e-1)), 2)
    fit_together(heads, draws[:2])
    assert (heads[0].held_out_.rows != heads[1].held_out_.rows).any()


def test_linear_heads_on_the_same_features_may_differ_in_views(draws):
    sample = draws[0]
    features = np.stack([sample.features, sample.features + 0.5], axis=1)
    sets = [
        TrainingSet(features, sample.label, sample.groups, views)
        for views in (Views(), Views(train=2))
    ]
    heads = seeded(LinearHead(strengths=(1e-3, 1e-1)), 2)
    fit_together(heads, sets)
    for head, used in zip(heads, sets, strict=True):
        single = clone(head).fit(used.features, used.label, used.groups, views=used.views)
        np.testing.assert_allclose(
            head.predict_proba(features[:, 0]), single.predict_proba(features[:, 0]), atol=1e-4
        )


def test_linear_head_is_the_same_on_another_device(draws, monkeypatch):
    sample = draws[0]
    here = LinearHead().fit(sample.features, sample.label, sample.groups)
    monkeypatch.setattr("featkit.heads.linear.arrays_on", lambda device: torch_arrays("cpu"))
    there = LinearHead().fit(sample.features, sample.label, sample.groups)
    assert there.chosen_["C"] == here.chosen_["C"]
    assert there.coef_.dtype == here.coef_.dtype == np.float32
    np.testing.assert_allclose(
        there.predict_proba(sample.features), here.predict_proba(sample.features), atol=1e-4
    )


def test_device_is_no_part_of_the_identity():
    assert LinearHead(device="auto").identity() == LinearHead().identity()


def test_a_device_that_is_not_there_is_refused(draws):
    sample = draws[0]
    with pytest.raises(UsageError, match="no such kind of device"):
        LinearHead(device="abacus").fit(sample.features, sample.label, sample.groups)


def test_no_heads_are_fitted_in_no_time():
    fit_together([], [])


def test_heads_that_differ_in_more_than_their_seed_are_refused(draws):
    for other in (LinearHead(criterion="log_loss"), LinearHead(n_jobs=2), MLPHead()):
        with pytest.raises(UsageError, match="differ in random_state alone"):
            fit_together([LinearHead(), other], draws[:2])


def test_each_head_needs_a_training_set(draws):
    with pytest.raises(UsageError, match="1 heads and 3 training sets"):
        fit_together([LinearHead()], draws)


def _decided(head):
    """What was chosen, without the scores, which rest on the solver's last digits."""
    return {name: head.chosen_[name] for name in head.chosen_ if name not in {"scores", "losses"}}
