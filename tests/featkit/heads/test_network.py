import numpy as np
import pytest
import torch
from torch import nn

from featkit.heads._learner import Learner
from featkit.heads._network import Batch, Recipe, threads
from featkit.heads._problem import Sample

RECIPE = Recipe(hidden=8, dropout=0.0, learning_rate=1e-2, weight_decay=0.1, batch_size=64)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, size=20)
    features = (rng.normal(size=(20, 5)) + label[:, None]).astype(np.float32)
    weights = rng.uniform(0.5, 1.5, size=20).astype(np.float32)
    return features, label, weights


def make_learner(features, label, *samples, seed=0):
    return Learner(features[:, None], label, samples, seed=seed)


def trained(*learners, epochs, recipe=RECIPE):
    """The learners, each after so many epochs of its own, and what it predicted of all rows."""
    batch = Batch(learners, n_classes=3, recipe=recipe)
    initial = [layer.detach().clone() for layer in batch._layers]
    scores = {}

    def is_done(learner):
        rows = [np.arange(len(learner._features))] * learner.networks
        scores[learner] = batch.predict(learner, rows)
        return learner.epochs == epochs[learners.index(learner)]

    batch.train(is_done)
    return initial, [scores[learner] for learner in learners]


def test_training_is_that_of_a_plain_torch_network(data):
    features, label, weights = data
    learner = make_learner(features, label, Sample(np.arange(20), weights))
    # One step holds all rows, so their order does not matter.
    (into, bias, out, out_bias), ((scores,),) = trained(learner, epochs=[5])
    network = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    with torch.no_grad():
        network[0].weight[:], network[0].bias[:] = into[0].T, bias[0, 0]
        network[2].weight[:], network[2].bias[:] = out[0].T, out_bias[0, 0]
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(5):
        losses = nn.CrossEntropyLoss(reduction="none")(
            network(torch.from_numpy(features)), torch.from_numpy(label)
        )
        optimiser.zero_grad()
        (losses * torch.from_numpy(weights)).mean().backward()
        optimiser.step()
    expected = network(torch.from_numpy(features)).detach().numpy()
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-4)
    assert learner.layers[0].shape == (1, 5, 8)


def test_networks_of_a_learner_do_not_touch_each_other(data):
    features, label, weights = data
    own = Sample(np.arange(10), weights[:10])
    learners = [
        make_learner(features, label, own, Sample(other, np.ones(10, dtype=np.float32)))
        for other in (np.arange(10, 20), np.arange(5, 15))
    ]
    for learner in learners:
        trained(learner, epochs=[3])
    for first, second in zip(*(learner.layers for learner in learners), strict=True):
        np.testing.assert_array_equal(first[0], second[0])
    assert not np.array_equal(learners[0].layers[2][1], learners[1].layers[2][1])


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_learner_becomes_the_same_whoever_learns_beside_it(data, dropout):
    features, label, weights = data
    recipe = Recipe(8, dropout, learning_rate=1e-2, weight_decay=0.1, batch_size=6)
    samples = [Sample(np.arange(20), weights), Sample(np.arange(9), weights[:9])]
    others = [Sample(np.arange(7), weights[:7]), Sample(np.arange(2, 19), weights[2:19])]

    def own():
        return make_learner(features, label, *samples, seed=3)

    alone = own()
    trained(alone, epochs=[6], recipe=recipe)
    for epochs in ([2, 6, 9], [9, 6, 2], [6, 6, 6]):
        beside = own()
        guests = [make_learner(features, label, other, seed=5) for other in others]
        trained(guests[0], beside, guests[1], epochs=epochs, recipe=recipe)
        for one, other in zip(alone.layers, beside.layers, strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-3, atol=1e-5)


def test_dropout_is_of_training_only(data):
    features, label, weights = data
    recipe = Recipe(64, dropout=0.9, learning_rate=1e-2, weight_decay=0.0, batch_size=64)
    learner = make_learner(features, label, Sample(np.arange(20), weights))
    _, ((scores,),) = trained(learner, epochs=[2], recipe=recipe)
    into, bias, out, out_bias = (layer[0] for layer in learner.layers)
    expected = np.maximum(features @ into + bias, 0) @ out + out_bias
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_dropout_keeps_the_mean():
    batch_size, hidden = 200, 100
    learner = make_learner(
        np.zeros((200, 5), dtype=np.float32),
        np.arange(200) % 3,
        Sample(np.arange(200), np.ones(200, dtype=np.float32)),
    )
    recipe = Recipe(hidden, 0.8, learning_rate=1e-2, weight_decay=0.0, batch_size=batch_size)
    batch = Batch([learner], n_classes=3, recipe=recipe)
    *_, kept = batch._shown(learner, learner.next_places(batch_size))
    np.testing.assert_allclose(kept.unique(), [0, 5], rtol=1e-6)
    assert kept.mean().item() == pytest.approx(1, abs=0.06)


def test_threads_are_put_back_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError), threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise RuntimeError
    assert torch.get_num_threads() == before
