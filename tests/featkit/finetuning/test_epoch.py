import math
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from timm.utils.model_ema import ModelEmaV3

from featkit.finetuning import recipe_for
from featkit.finetuning._augmentation import Augmentation
from featkit.finetuning._epoch import DivergedError, Epochs, _seeded
from featkit.finetuning._feed import Feed
from featkit.finetuning._folding import pairs
from featkit.finetuning._network import Classifier
from featkit.finetuning._optimisation import Loss, make_mixup, make_optimizer, make_schedule
from featkit.finetuning._pixels import decoded
from featkit.finetuning._samples import Order
from featkit.finetuning._team import make_team
from featkit.progress import NoProgress

ROWS = 12


@pytest.fixture(scope="module")
def pixels(tmp_path_factory, fakes):
    folder = tmp_path_factory.mktemp("pixels") / "p"
    return decoded(
        fakes.dataset(),
        fakes.preprocessing(),
        folder,
        images=True,
        workers=1,
        progress=NoProgress(),
    )


@pytest.fixture
def make_epochs(pixels, fakes):
    """A maker of epochs of twelve images, with everything that a recipe asks for."""

    def make(strategy="full", *, network=None, loss=None, batch_size=4, **overrides):
        plain = {"warmup": 0.0, "augmentation": "none", "ema": 0.0, "layer_decay": 1.0}
        recipe = recipe_for(strategy, {**plain, **overrides})
        backbone, team = fakes.backbone(network), make_team("cpu", "fp32")
        plain = Augmentation((), backbone.preprocessing, team.device)
        feed = Feed(pixels, plain, backbone, team)
        model = Classifier(backbone, 3, strategy)
        model.to(memory_format=torch.channels_last)
        label = fakes.dataset().label[:ROWS]
        order = Order(np.arange(ROWS), label, oversample=False, batch_size=batch_size, seed=0)
        optimizer = make_optimizer(model, recipe)
        average = ModelEmaV3(model, decay=recipe.ema, use_warmup=True) if recipe.ema else None
        prepared, wrapped = team.prepare(model, optimizer, scale=None)
        return Epochs(
            model=model,
            prepared=prepared,
            optimizer=wrapped,
            schedule=make_schedule(optimizer, recipe, steps=4 * order.steps),
            loss=loss or Loss(torch.ones(3), smoothing=0.0),
            mixup=make_mixup(recipe, classes=3),
            average=average,
            batch_norm=recipe.batch_norm,
            clip=recipe.clip,
            order=order,
            feed=feed,
            foldable=pairs(model.eval(), feed.example()),
            seed=0,
        )

    return make


def plain_epoch(fakes, epochs, number):
    """The oracle: the same batches through the same network by hand, with torch's own parts."""
    dataset, backbone = fakes.dataset(), fakes.backbone()
    model = Classifier(backbone, 3, "full")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    mean, std = (np.array(v, dtype=np.float32) for v in ((0.5, 0.4, 0.3), (0.2, 0.3, 0.25)))
    model.train()
    losses, weights = [], []
    for step, batch in enumerate(epochs.order.epoch(number)):
        photos = [backbone.preprocessing(dataset.images.read(row)) for row in batch.rows]
        inputs = (np.stack(photos).astype(np.float32) / 255 - mean) / std
        logits = model(torch.from_numpy(inputs.transpose(0, 3, 1, 2).copy()))
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(batch.label))
        done = number * epochs.order.steps + step
        cosine = 0.001 + 0.5 * 0.099 * (1 + math.cos(math.pi * done / (4 * epochs.order.steps)))
        optimizer.param_groups[0]["lr"] = cosine
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        losses.append(loss.item())
        weights.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
    return np.mean(losses), weights


def test_an_epoch_is_what_a_plain_loop_does(make_epochs, fakes):
    epochs = make_epochs(optimizer="sgd", lr=0.1, weight_decay=0.0, clip=0.5)
    seen = []
    mean = epochs.run(0, seen=seen.append)
    expected, weights = plain_epoch(fakes, epochs, 0)
    assert seen == [4, 4, 4]
    assert mean == pytest.approx(expected, rel=1e-4)
    for name, tensor in epochs.model.state_dict().items():
        torch.testing.assert_close(tensor, weights[-1][name], rtol=1e-3, atol=1e-5)


def test_the_average_follows_its_recursion_from_the_first_step(make_epochs, fakes):
    """As timm defines it: a decay of 1 - n^(-2/3) at the n-th step, up to the one asked for."""
    epochs = make_epochs(optimizer="sgd", lr=0.1, weight_decay=0.0, clip=0.5, ema=0.5)
    epochs.run(0, seen=lambda _: None)
    _, weights = plain_epoch(fakes, epochs, 0)
    expected = dict(weights[0])  # a decay of 0 forgets the start
    for step, state in enumerate(weights[1:], start=2):
        decay = min(0.5, 1 - step ** (-2 / 3))
        for name, tensor in state.items():
            if tensor.is_floating_point():
                expected[name] = decay * expected[name] + (1 - decay) * tensor
            else:
                expected[name] = tensor
    for name, tensor in epochs.average.module.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-3, atol=1e-5)


def test_gradients_are_clipped_to_the_norm(make_epochs):
    """Without momentum, no step is longer than the learning rate times the norm."""
    lengths = {}
    for clip in (0.0, 0.01):
        epochs = make_epochs(
            optimizer="sgd", lr=0.1, momentum=0.0, weight_decay=0.0, schedule="constant",
            clip=clip, batch_size=12,
        )  # fmt: skip
        weights = epochs.model.state_dict()  # the live ones
        names = [name for name, _ in epochs.model.named_parameters()]
        before = {name: weights[name].clone() for name in names}
        epochs.run(0, seen=lambda _: None)
        moved = torch.cat([(weights[name] - before[name]).flatten() for name in names])
        lengths[clip] = float(moved.norm())
    assert lengths[0.0] > 0.0012
    assert lengths[0.01] == pytest.approx(0.1 * 0.01, rel=1e-2)


def test_the_callers_generators_are_left_alone_and_decide_nothing(make_epochs, fakes):
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)
        epochs = make_epochs(network=fakes.network(dropout=0.5), mixup=0.4)
        pytorch, numpy = torch.get_rng_state(), np.random.get_state()
        found.append(epochs.run(1, seen=lambda _: None))
        assert torch.equal(torch.get_rng_state(), pytorch)
        assert all(np.array_equal(a, b) for a, b in zip(np.random.get_state(), numpy, strict=True))
    assert found[0] == found[1]
    assert found[0] != make_epochs(network=fakes.network(dropout=0.5), mixup=0.4).run(
        2, seen=lambda _: None
    )


def test_frozen_statistics_are_folded_to_the_same_weights(make_epochs):
    """And those of each batch are not: that epoch is compared with a plain loop above."""
    found = []
    for fold in (True, False):
        epochs = make_epochs(batch_norm="frozen")
        assert len(epochs.foldable) == 2
        epochs = epochs if fold else replace(epochs, foldable=())
        epochs.run(0, seen=lambda _: None)
        found.append(epochs.model.state_dict())
    for name, tensor in found[0].items():
        torch.testing.assert_close(tensor, found[1][name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("device", "given"), [("cpu", []), ("cuda:1", ["cuda:1"])])
def test_a_gpus_generator_is_given_back_too_and_no_other_gpus(monkeypatch, device, given):
    found = []

    @contextmanager
    def fork(devices):
        found.extend(map(str, devices))
        yield

    monkeypatch.setattr(torch.random, "fork_rng", fork)
    monkeypatch.setattr(torch, "manual_seed", lambda _: None)
    with _seeded(3, torch.device(device)):
        pass
    assert found == given


class Spy:
    """A loss that remembers its targets, and is no number from a step on."""

    def __init__(self, *, fails_at=None):
        self.targets, self.fails_at = [], fails_at

    def __call__(self, logits, target):
        self.targets.append(target)
        loss = torch.nn.functional.cross_entropy(logits, target)
        return loss * math.nan if len(self.targets) == self.fails_at else loss


def test_mixup_gives_soft_targets_to_pairs_and_leaves_a_lone_image_alone(make_epochs):
    spy = Spy()
    make_epochs(loss=spy, mixup=0.4, batch_size=5).run(0, seen=lambda _: None)
    assert [tuple(target.shape) for target in spy.targets] == [(4, 3)] * 2
    spy = Spy()
    epochs = make_epochs("head", loss=spy, mixup=0.4, batch_size=1)
    assert math.isfinite(epochs.run(0, seen=lambda _: None))
    assert [tuple(target.shape) for target in spy.targets] == [(1,)] * 12


def test_targets_are_the_labels_of_the_batches(make_epochs):
    spy = Spy()
    epochs = make_epochs(loss=spy)
    epochs.run(2, seen=lambda _: None)
    expected = [batch.label.tolist() for batch in epochs.order.epoch(2)]
    assert [target.tolist() for target in spy.targets] == expected
    assert len(Counter(map(tuple, expected))) > 1


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_loss_that_is_no_number_ends_the_epoch(make_epochs, step):
    with pytest.raises(DivergedError):
        make_epochs(loss=Spy(fails_at=step)).run(0, seen=lambda _: None)


def test_it_is_noticed_before_a_long_epoch_ends(make_epochs, monkeypatch):
    monkeypatch.setattr("featkit.finetuning._epoch._LOOK_EVERY", 2)
    spy = Spy(fails_at=1)
    with pytest.raises(DivergedError):
        make_epochs("head", loss=spy, batch_size=1).run(0, seen=lambda _: None)
    assert len(spy.targets) == 2


def test_outputs_are_those_of_a_plain_loop(make_epochs, fakes):
    epochs, dataset = make_epochs(), fakes.dataset()
    network = fakes.network()
    rows = np.array([9, 3, 3, 0])
    found = epochs.feed.outputs(network, rows)
    backbone = fakes.backbone()
    for row, features in zip(rows, found, strict=True):
        photo = backbone.preprocessing(dataset.images.read(row))
        pixels = torch.from_numpy(photo).permute(2, 0, 1)[None]
        with torch.no_grad():
            expected = backbone.features(pixels)[0]
        np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)
    assert found.dtype == np.float32
