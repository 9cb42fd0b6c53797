"""Heads as plain data and back."""

from dataclasses import replace

import numpy as np
import pytest

from featkit.errors import ModelError
from featkit.heads import HEADS, make_head
from featkit.heads.state import head_of, state_of


@pytest.fixture(params=["linear", "lightgbm", "mlp"])
def kind(request):
    return request.param


def numbered(make_lesions, lesions):
    X, y, groups = make_lesions(lesions)
    return X, np.unique(y, return_inverse=True)[1], groups


def fitted(kind, make_lesions, lesions=(24, 8, 4)):
    X, y, groups = numbered(make_lesions, lesions)
    return make_head(kind).fit(X, y, groups), X


@pytest.mark.parametrize("lesions", [(24, 8), (24, 8, 4)])
def test_a_head_comes_back_as_it_was(kind, make_lesions, lesions):
    head, X = fitted(kind, make_lesions, lesions)
    again = head_of(state_of(kind, head))
    assert type(again) is HEADS[kind]
    np.testing.assert_array_equal(again.predict_proba(X), head.predict_proba(X))
    np.testing.assert_array_equal(again.classes_, head.classes_)
    assert again.get_params() == head.get_params()
    assert (again.chosen_, again.n_parameters_) == (head.chosen_, head.n_parameters_)


def test_a_class_that_was_missing_stays_missing(kind, make_lesions):
    X, y, groups = numbered(make_lesions, (24, 8, 8))
    kept = y != 1
    head = make_head(kind).fit(X[kept], y[kept], groups[kept])
    assert state_of(kind, head).classes == (0, 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"options": {"strengths": [-1.0]}}, "cannot be meant"),
        ({"options": {"imbalance": 7}}, "cannot be meant"),
        ({"options": {"shell": "ls"}}, "no option"),
        ({"classes": (0,)}, "classes"),
        ({"classes": (-1, 0, 1)}, "classes"),
        ({"features": 0}, "0 features"),
        ({"text": "tree"}, "text"),
        ({"arrays": {}}, "arrays"),
    ],
)
def test_what_is_no_head_is_refused(make_lesions, changes, words):
    head, _ = fitted("linear", make_lesions)
    with pytest.raises(ValueError, match=words):
        head_of(replace(state_of("linear", head), **changes))


def test_a_kind_that_is_not_installed_is_named_with_those_that_are(make_lesions):
    head, _ = fitted("linear", make_lesions)
    with pytest.raises(ModelError, match=r"no head 'posix'.*there are linear, lightgbm, mlp"):
        head_of(replace(state_of("linear", head), kind="posix"))


def test_threads_and_devices_of_another_machine_are_not_taken_over(make_lesions):
    """A model from elsewhere cannot ask for a billion threads."""
    head, X = fitted("lightgbm", make_lesions)
    state = state_of("lightgbm", head)
    again = head_of(replace(state, options={**state.options, "n_jobs": 10**9}))
    assert again.n_jobs == 1
    np.testing.assert_array_equal(again.predict_proba(X), head.predict_proba(X))
