"""What every head must do, whatever it is."""

import json
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from threadpoolctl import threadpool_info

from featkit.errors import UsageError
from featkit.heads import base
from featkit.heads._problem import Problem

HEADS = ["linear", "lightgbm", "mlp"]


@pytest.fixture(params=HEADS)
def head(request, small_heads):
    return small_heads[request.param]


@pytest.mark.parametrize("imbalance", ["weights", "none", "oversample"])
def test_head_learns_and_says_what_it_chose(head, imbalance, make_lesions):
    X, y, groups = make_lesions((40, 16, 8))
    test_X, test_y, _ = make_lesions((40, 16, 8), seed=1)
    head.set_params(imbalance=imbalance).fit(X, y, groups)
    probabilities = head.predict_proba(test_X)
    assert probabilities.shape == (len(test_y), 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(head.predict(test_X), head.classes_[probabilities.argmax(axis=1)])
    assert balanced_accuracy_score(test_y, head.predict(test_X)) > 0.6
    assert json.loads(json.dumps(head.chosen_)) == head.chosen_
    assert head.chosen_["inner_folds"] >= 2
    assert head.n_parameters_ > 0


@pytest.mark.parametrize("lesions", [(2,) * 7, (5, 2, 2, 2, 2, 2, 2)])
def test_two_lesions_of_each_class_suffice(head, lesions, make_lesions):
    X, y, groups = make_lesions(lesions, columns=200, spread=1.0)
    test_X, test_y, _ = make_lesions((10,) * 7, columns=200, spread=1.0, seed=1)
    head.fit(X, y, groups)
    assert balanced_accuracy_score(test_y, head.predict(test_X)) > 0.4


def test_two_classes(head, make_lesions):
    X, y, groups = make_lesions((20, 8), spread=1.5)
    assert head.fit(X, y, groups).predict_proba(X).shape == (len(y), 2)
    assert balanced_accuracy_score(y, head.predict(X)) > 0.9


@pytest.mark.parametrize("lesions", [(12, 6, 1), (1, 1, 1), (1, 1)])
def test_classes_of_a_single_lesion_still_work(head, lesions, make_lesions):
    X, y, groups = make_lesions(lesions)
    head.fit(X, y, groups)
    assert len(head.classes_) == len(lesions)
    assert (head.chosen_["inner_folds"] > 0) is (max(lesions) > 1)
    assert np.isfinite(head.predict_proba(X)).all()


@pytest.mark.parametrize("imbalance", ["weights", "oversample"])
def test_no_lesion_is_trained_and_validated_on(head, imbalance, make_lesions, monkeypatch):
    X, y, groups = make_lesions((40, 16, 8))
    drawn, judged = [], []
    sample, judge = Problem.sample, Problem.judge

    def spy_sample(self, rows=None):
        drawn.append(sample(self, rows))
        return drawn[-1]

    def spy_judge(self, rows):
        judged.append(rows)
        return judge(self, rows)

    monkeypatch.setattr(Problem, "sample", spy_sample)
    monkeypatch.setattr(Problem, "judge", spy_judge)
    head.set_params(imbalance=imbalance, **_criterion(head)).fit(X, y, groups)
    *inner, refit = sorted((set(sample.rows) for sample in drawn), key=len)
    assert refit == set(range(len(X)))
    validated = set(np.concatenate(judged))
    for rows in inner:
        held_out = refit - rows
        assert not set(groups[list(rows)]) & set(groups[list(held_out)])
        assert held_out <= validated
    for rows in judged:
        assert len(np.unique(rows)) == len(rows), "a validation part was oversampled"


def test_same_seed_gives_the_same_head_in_any_surroundings(head, make_lesions):
    X, y, groups = make_lesions()
    first = clone(head).fit(X, y, groups)
    torch.manual_seed(5)
    np.random.seed(5)
    again = clone(head).fit(X, y, groups)
    assert again.chosen_ == first.chosen_
    np.testing.assert_array_equal(again.predict_proba(X), first.predict_proba(X))


def test_fit_leaves_random_state_threads_and_input_alone(head, make_lesions):
    X, y, groups = make_lesions()
    X_before, torch_before = X.copy(), torch.random.get_rng_state()
    numpy_before = np.random.get_state()[1].copy()
    threads_before = torch.get_num_threads()
    pools_before = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    head.fit(X, y, groups).predict_proba(X)
    np.testing.assert_array_equal(X, X_before)
    assert torch.equal(torch.random.get_rng_state(), torch_before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)
    assert torch.get_num_threads() == threads_before
    pools = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    assert {path: pools[path] for path in pools_before} == pools_before


def test_fit_says_nothing(head, make_lesions, capfd):
    X, y, groups = make_lesions((12, 6, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head.fit(X, y, groups).predict_proba(X)
    assert capfd.readouterr() == ("", "")


def test_pickled_head_predicts_the_same(head, make_lesions):
    X, y, groups = make_lesions()
    head.fit(X, y, groups)
    again = pickle.loads(pickle.dumps(head))
    np.testing.assert_array_equal(again.predict_proba(X), head.predict_proba(X))


def test_fitted_state_is_plain(head, make_lesions):
    X, y, groups = make_lesions()
    head.fit(X, y, groups)
    fitted = [value for name, value in vars(head).items() if name.endswith("_")]
    parts = [part for value in fitted for part in _parts(value)]
    assert {type(part) for part in parts} <= {np.ndarray, dict, int, str}


def test_long_input_is_predicted_block_by_block(head, make_lesions, monkeypatch):
    X, y, groups = make_lesions()
    whole = head.fit(X, y, groups).predict_proba(X)
    monkeypatch.setattr(base, "_BLOCK_ROWS", 7)
    np.testing.assert_allclose(head.predict_proba(X), whole, atol=1e-9)


def test_rows_are_groups_of_their_own_by_default(head, make_lesions):
    X, y, _ = make_lesions()
    given = clone(head).fit(X, y, np.arange(len(y)).astype(str))
    np.testing.assert_array_equal(head.fit(X, y).predict_proba(X), given.predict_proba(X))


def test_one_class_is_refused(head, make_lesions):
    X, _, groups = make_lesions()
    with pytest.raises(ValueError, match=r"at least two classes.*one class: 'nv'"):
        head.fit(X, np.full(len(X), "nv"), groups)


def test_groups_of_another_shape_are_refused(head, make_lesions):
    X, y, groups = make_lesions()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        head.fit(X, y, groups[:-1])
    with pytest.raises(ValueError, match="1d array"):
        head.fit(X, y, np.column_stack([groups, groups]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"imbalance": "smote"}, "imbalance='smote'.*weights, none, oversample"),
        ({"inner_splits": 1}, "inner_splits=1.*2 or more"),
        ({"n_jobs": 0}, "n_jobs=0.*1 or more"),
    ],
)
def test_impossible_options_are_refused(head, options, message, make_lesions):
    X, y, groups = make_lesions()
    with pytest.raises(UsageError, match=message):
        head.set_params(**options).fit(X, y, groups)


def test_importing_the_room_imports_neither_torch_nor_lightgbm():
    code = "import sys, featkit.heads; print({'torch', 'lightgbm'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"


def _parts(value):
    return value if isinstance(value, list | tuple) else [value]


def _criterion(head):
    """Let the linear head judge by the loss, as the others do, so that a spy sees it."""
    return {"criterion": "log_loss"} if "criterion" in head.get_params() else {}
