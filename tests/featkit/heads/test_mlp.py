import numpy as np
import pytest
import torch
from torch import nn

from featkit.errors import UsageError
from featkit.heads import MLPHead
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


def make_batch(features, label, samples, *, recipe=RECIPE, seed=0):
    return Batch(features[:, None], label, samples, n_classes=3, recipe=recipe, seed=seed)


def test_training_is_that_of_a_plain_torch_network(data):
    features, label, weights = data
    batch = make_batch(features, label, [Sample(np.arange(20), weights)])
    into, bias, out, out_bias = batch.layers(0)
    network = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    with torch.no_grad():
        network[0].weight[:] = torch.from_numpy(into.T)
        network[0].bias[:] = torch.from_numpy(bias[0])
        network[2].weight[:] = torch.from_numpy(out.T)
        network[2].bias[:] = torch.from_numpy(out_bias[0])
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(5):
        # One step holds all rows, so their order does not matter.
        batch.train_epoch()
        losses = nn.CrossEntropyLoss(reduction="none")(
            network(torch.from_numpy(features)), torch.from_numpy(label)
        )
        optimiser.zero_grad()
        (losses * torch.from_numpy(weights)).mean().backward()
        optimiser.step()
    expected = network(torch.from_numpy(features)).detach().numpy()
    np.testing.assert_allclose(batch.predict([np.arange(20)])[0], expected, rtol=1e-3, atol=1e-4)


def test_networks_of_a_batch_do_not_touch_each_other(data):
    features, label, weights = data
    own = Sample(np.arange(10), weights[:10])
    pairs = [
        make_batch(features, label, [own, Sample(other, np.ones(10, dtype=np.float32))])
        for other in (np.arange(10, 20), np.arange(5, 15))
    ]
    for batch in pairs:
        for _ in range(3):
            batch.train_epoch()
    for first, second in zip(pairs[0].layers(0), pairs[1].layers(0), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(pairs[0].layers(1)[2], pairs[1].layers(1)[2])


def test_an_epoch_shows_every_row(data, monkeypatch):
    features, label, weights = data
    samples = [Sample(np.arange(20), weights), Sample(np.arange(7), weights[:7])]
    batch = make_batch(features, label, samples)
    seen = []
    monkeypatch.setattr(batch, "_step", seen.append)
    batch.train_epoch()
    (places,) = seen
    assert sorted(places[0].tolist()) == list(range(20))
    shown = np.bincount(places[1], minlength=7)
    assert shown.sum() == 20
    assert set(shown) <= {2, 3}


def test_dropout_is_of_training_only(data):
    features, label, weights = data
    recipe = Recipe(hidden=64, dropout=0.9, learning_rate=1e-2, weight_decay=0.0, batch_size=64)
    batch = make_batch(features, label, [Sample(np.arange(20), weights)], recipe=recipe)
    batch.train_epoch()
    rows = [np.arange(20)]
    np.testing.assert_array_equal(batch.predict(rows)[0], batch.predict(rows)[0])


def test_numpy_prediction_is_that_of_the_network(make_lesions, monkeypatch):
    X, y, groups = make_lesions()
    networks = []
    monkeypatch.setattr(
        "featkit.heads.mlp.Batch",
        lambda *args, **kwargs: networks.append(Batch(*args, **kwargs)) or networks[-1],
    )
    head = MLPHead(hidden=16, max_epochs=5).fit(X, y, groups)
    scores = torch.from_numpy(networks[-1].predict([np.arange(len(X))])[0])
    np.testing.assert_allclose(head.predict_proba(X), scores.softmax(dim=1), atol=1e-5)


def test_parameters_are_counted(make_lesions):
    X, y, groups = make_lesions(columns=30)
    head = MLPHead(hidden=16, max_epochs=2).fit(X, y, groups)
    assert head.n_parameters_ == 30 * 16 + 16 + 16 * 3 + 3


def test_threads_are_put_back_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError), threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise RuntimeError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dropout": 1.0}, r"dropout=1.0.*from 0 to below 1"),
        ({"hidden": 0}, "hidden=0.*1 or more"),
        ({"max_epochs": 0}, "max_epochs=0.*1 or more"),
    ],
)
def test_impossible_options_are_refused(options, message, make_lesions):
    X, y, _ = make_lesions()
    with pytest.raises(UsageError, match=message):
        MLPHead(**options).fit(X, y)
