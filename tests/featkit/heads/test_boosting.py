import lightgbm as lgb
import numpy as np
import pytest

from featkit.errors import UsageError
from featkit.heads import LightGBMHead


def test_prediction_is_that_of_lightgbm(make_lesions):
    X, y, groups = make_lesions()
    head = LightGBMHead(max_rounds=20, feature_fraction=0.5).fit(X, y, groups)
    oracle = lgb.Booster(model_str=head.model_)
    assert oracle.current_iteration() == head.chosen_["rounds"]
    np.testing.assert_array_equal(head.predict_proba(X), oracle.predict(X))


def test_parameters_are_thresholds_and_leaves(make_lesions):
    X, y, groups = make_lesions()
    head = LightGBMHead(max_rounds=5, feature_fraction=0.5).fit(X, y, groups)
    nodes = lgb.Booster(model_str=head.model_).trees_to_dataframe()
    assert head.n_parameters_ == len(nodes)


def test_rounds_are_where_the_pooled_loss_is_lowest(make_lesions):
    X, y, groups = make_lesions((40, 16, 8), spread=4.0)
    head = LightGBMHead(max_rounds=200, patience=5, learning_rate=0.3, feature_fraction=0.5)
    chosen = head.fit(X, y, groups).chosen_
    assert chosen["rounds"] == np.argmin(chosen["losses"]) + 1
    assert len(chosen["losses"]) == chosen["rounds"] + 5


def test_validation_is_on_as_few_folds_as_hold_enough_rows(make_lesions):
    X, y, groups = make_lesions((60, 30, 20))
    head = LightGBMHead(max_rounds=3, validation_rows=10)
    assert head.fit(X, y, groups).chosen_["inner_folds"] == 1
    assert head.set_params(validation_rows=10_000).fit(X, y, groups).chosen_["inner_folds"] == 5


def test_features_that_tell_nothing_give_equal_odds():
    X = np.ones((30, 4), dtype=np.float32)
    y = np.repeat(["a", "b"], [20, 10])
    head = LightGBMHead(max_rounds=5).fit(X, y)
    np.testing.assert_allclose(head.predict_proba(X), 0.5, atol=1e-6)


@pytest.mark.parametrize("name", ["num_leaves", "max_rounds", "patience", "validation_rows"])
def test_impossible_options_are_refused(name, make_lesions):
    X, y, _ = make_lesions()
    with pytest.raises(UsageError, match=f"{name}=0"):
        LightGBMHead(**{name: 0}).fit(X, y)
