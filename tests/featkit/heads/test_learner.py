import numpy as np
import pytest

from featkit.heads._learner import Learner
from featkit.heads._problem import Sample


@pytest.fixture
def learner():
    """Networks of 20 and of 7 rows, whose only feature is the row's number."""
    features = np.arange(20, dtype=np.float32).reshape(20, 1, 1)
    weights = np.linspace(0, 1, 20, dtype=np.float32)
    samples = [Sample(np.arange(20), weights), Sample(np.arange(7), weights[:7])]
    return Learner(features, np.arange(20) % 3, samples, seed=0)


def test_an_epoch_shows_every_row(learner):
    places = [learner.next_places(8) for _ in range(3)]
    assert [step.shape for step in places] == [(2, 8), (2, 8), (2, 4)]
    assert (learner.epochs, learner.ends_epoch) == (1, True)
    large, small = (np.concatenate([step[number] for step in places]) for number in range(2))
    assert sorted(large) == list(range(20))
    assert set(np.bincount(small, minlength=7)) == {2, 3}


def test_an_epoch_has_not_ended_before_its_last_step(learner):
    learner.next_places(8)
    assert (learner.epochs, learner.ends_epoch) == (0, False)


def test_what_is_shown_belongs_together(learner):
    features, label, weights = learner.shown(learner.next_places(8))
    rows = features[..., 0].int().numpy()
    np.testing.assert_array_equal(label, rows % 3)
    np.testing.assert_allclose(weights, rows / 19, rtol=1e-6)


def test_epochs_differ_in_order(learner):
    first, second = (learner.next_places(20)[0].tolist() for _ in range(2))
    assert first != second
