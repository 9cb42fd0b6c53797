"""Trees from a file: LightGBM is given nothing that was not checked."""

import re

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.heads import LightGBMHead
from featkit.heads._trees import checked_trees

FEATURES, CLASSES = 6, 3


@pytest.fixture(scope="module")
def text():
    rng = np.random.default_rng(0)
    y = rng.integers(CLASSES, size=150)
    X = rng.normal(size=(150, FEATURES)) + y[:, None]
    return LightGBMHead(max_rounds=8, num_leaves=6, feature_fraction=0.9).fit(X, y).model_


def checked(text):
    return checked_trees(text, features=FEATURES, classes=CLASSES)


def test_what_is_checked_predicts_the_same_to_the_bit(text):
    X = np.random.default_rng(1).normal(size=(500, FEATURES)) * 3
    X[::7, 2] = np.nan
    expected = lgb.Booster(model_str=text).predict(X)
    np.testing.assert_array_equal(lgb.Booster(model_str=checked(text)).predict(X), expected)
    assert checked(checked(text)) == checked(text)


def test_trees_of_one_leaf(make_lesions):
    """Where nothing can be learned, trees do not split."""
    X, y, groups = make_lesions()
    head = LightGBMHead(max_rounds=1, min_child_samples=10_000).fit(X, y, groups)
    again = checked_trees(head.model_, features=X.shape[1], classes=3)
    expected = lgb.Booster(model_str=head.model_).predict(X)
    np.testing.assert_array_equal(lgb.Booster(model_str=again).predict(X), expected)


def changed(name, value, text):
    """Set the first number of a line of the first tree that has one."""
    return re.sub(rf"(?m)^{name}=\S+", f"{name}={value}", text, count=1)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("num_class", "4", "num_class"),
        ("max_feature_idx", "9", "max_feature_idx"),
        ("objective", "regression", "objective"),
        ("num_leaves", "99999999", "99999999"),
        ("num_leaves", "-1", "-1"),
        ("num_cat", "1", "categories"),
        ("is_linear", "1", "linear leaves"),
        ("split_feature", "6", "0 to 5"),
        ("split_feature", "-1", "0 to 5"),
        ("left_child", "0", "circle"),
        ("left_child", "77", "77"),
        ("decision_type", "1", "not known"),
        ("leaf_value", "nan", "finite"),
        ("threshold", "inf", "finite"),
        ("threshold", "1;2", "finite"),
        ("threshold", "0_1", "finite"),
        ("threshold", "\uff11", "finite"),
        ("leaf_value", "1e308", "finite"),
        ("left_child", "1_1", "whole number"),
        ("left_child", "+1", "whole number"),
        ("split_feature", "0_4", "whole number"),
    ],
)
def test_trees_that_someone_made_up(text, name, value, words):
    with pytest.raises(ValueError, match=words):
        checked(changed(name, value, text))


def test_a_model_that_is_cut_short(text):
    for end in range(0, len(text.partition("end of trees")[0]), 97):
        with pytest.raises(ValueError, match=r"."):
            checked(text[:end])


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_it_is_refused_or_predicts(text, data):
    """LightGBM would crash on most of these."""
    body = text.partition("\nfeature_importances")[0]
    start = data.draw(st.integers(0, len(body) - 1))
    length = data.draw(st.integers(0, 40))
    put = data.draw(st.text(st.sampled_from("0123456789-. =\n"), max_size=20))
    spoiled = body[:start] + put + body[start + length :]
    try:
        found = checked(spoiled)
    except ValueError:
        return
    probabilities = lgb.Booster(model_str=found).predict(np.zeros((3, FEATURES)))
    assert probabilities.shape == (3, CLASSES)
