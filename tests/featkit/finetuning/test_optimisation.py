import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from featkit.finetuning import recipe_for
from featkit.finetuning._network import Classifier
from featkit.finetuning._optimisation import Loss, make_mixup, make_optimizer, make_schedule

PLAIN = {"warmup": 0.0, "layer_decay": 1.0, "ema": 0.0}


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.normal(size=(7, 3)).astype(np.float32) * 3)
    return logits, torch.tensor([0, 2, 1, 0, 0, 2, 1])


def brute_force(logits, target, weight, smoothing):
    """The sum over images and classes of -q · w · log p, over the number of images."""
    total = 0.0
    for scores, wanted in zip(logits.double().tolist(), target.tolist(), strict=True):
        top = max(scores)
        norm = top + math.log(sum(math.exp(score - top) for score in scores))
        hard = isinstance(wanted, int)
        for number, score in enumerate(scores):
            asked = float(number == wanted) if hard else wanted[number]
            q = asked * (1 - smoothing) + smoothing / len(scores)
            total -= q * weight[number] * (score - norm)
    return total / len(logits)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("soft", [False, True])
def test_the_loss_is_that_of_a_plain_loop(batch, smoothing, soft):
    logits, target = batch
    if soft:
        target = torch.softmax(logits.flip(0), dim=1)
    weight = [0.5, 1.0, 2.5]
    loss = Loss(torch.tensor(weight), smoothing=smoothing)(logits, target)
    assert float(loss) == pytest.approx(brute_force(logits, target, weight, smoothing), rel=1e-5)


def test_without_weights_it_is_torchs_own(batch):
    logits, target = batch
    loss = Loss(torch.ones(3), smoothing=0.1)(logits, target)
    expected = functional.cross_entropy(logits, target, label_smoothing=0.1)
    assert float(loss) == pytest.approx(float(expected), rel=1e-6)


def test_shares_of_a_batch_add_up_to_it(batch):
    logits, target = batch[0][:6], batch[1][:6]
    loss = Loss(torch.tensor([0.1, 1.0, 5.0]), smoothing=0.0)
    parts = [float(loss(logits[k::2], target[k::2])) for k in (0, 1)]
    assert sum(parts) / 2 == pytest.approx(float(loss(logits, target)), rel=1e-6)


def test_the_loss_is_in_full_precision(batch):
    logits, target = batch
    loss = Loss(torch.ones(3), smoothing=0.0)(logits.bfloat16(), target)
    assert loss.dtype == torch.float32


def rates(fakes, recipe, steps):
    """The learning rate of every step, of the last layer and of the first."""
    model = Classifier(fakes.backbone(), 3, "full")
    optimizer = make_optimizer(model, recipe)
    schedule = make_schedule(optimizer, recipe, steps=steps)
    first = model.network[0].weight
    found = []
    for step in range(steps):
        schedule.step_update(step)
        rate = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
        found.append((rate[id(model.last.weight)], rate[id(first)]))
    return np.array(found)


def test_a_cosine_by_its_formula(fakes):
    recipe = recipe_for("full", {**PLAIN, "lr": 0.2})
    found = rates(fakes, recipe, 40)
    steps = np.arange(40)
    expected = 0.002 + 0.5 * (0.2 - 0.002) * (1 + np.cos(np.pi * steps / 40))
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)
    assert found[-1, 0] < 0.02 * 0.2


def test_a_constant_rate(fakes):
    recipe = recipe_for("full", {**PLAIN, "lr": 0.2, "schedule": "constant"})
    np.testing.assert_allclose(rates(fakes, recipe, 10), 0.2, rtol=1e-9)


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_warm_up_rises_to_the_rate_and_is_a_share_of_all_steps(fakes, schedule):
    recipe = recipe_for("full", {**PLAIN, "lr": 0.2, "warmup": 0.25, "schedule": schedule})
    found = rates(fakes, recipe, 40)[:, 0]
    assert found[0] == pytest.approx(0.02)
    assert (np.diff(found[:11]) > 0).all()
    assert found[10] == pytest.approx(0.2)
    assert found.argmax() == 10
    assert (np.diff(found[10:]) <= 1e-12).all()


def test_layers_keep_their_share_of_the_rate(fakes):
    recipe = recipe_for("full", {**PLAIN, "lr": 0.2, "layer_decay": 0.5, "warmup": 0.2})
    found = rates(fakes, recipe, 30)
    share = found[:, 1] / found[:, 0]
    np.testing.assert_allclose(share, share[0])
    assert math.log2(1 / share[0]) == pytest.approx(round(math.log2(1 / share[0])))
    assert share[0] < 1


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_very_short_trainings(fakes, steps):
    found = rates(fakes, recipe_for("full", {"lr": 0.2, "warmup": 0.9}), steps)
    assert np.isfinite(found).all() and (found > 0).all()


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_optimisers_are_torchs(fakes, name):
    """The oracle takes the same steps with torch's own optimiser."""
    kinds = {
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.3),
        "adam": lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.3),
        "sgd": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.3, momentum=0.8),
    }
    changes = {"optimizer": name, "lr": 0.1, "weight_decay": 0.3, "momentum": 0.8}
    model = Classifier(fakes.backbone(), 3, "head")
    torch.nn.init.constant_(model.last.weight, 0.5)
    optimizer = make_optimizer(model, recipe_for("head", changes))
    twin = torch.full_like(model.last.weight, 0.5).requires_grad_()
    expected = kinds[name]([twin])
    for number in range(4):
        gradient = torch.randn(twin.shape, generator=torch.Generator().manual_seed(number))
        model.last.weight.grad, twin.grad = gradient.clone(), gradient.clone()
        model.last.bias.grad = torch.zeros(3)
        optimizer.step()
        expected.step()
    torch.testing.assert_close(model.last.weight.data, twin.data)


def test_mixup_mixes_pairs_and_their_labels():
    mixup = make_mixup(recipe_for("full", {"mixup": 0.8, "label_smoothing": 0.2}), classes=3)
    np.random.seed(0)
    pixels = torch.eye(4).view(4, 1, 2, 2)
    label = torch.tensor([0, 1, 2, 1])
    mixed, target = mixup(pixels.clone(), label)
    share = float(mixed[0].view(-1)[0])
    assert 0 < share < 1
    twins = pixels.flip(0)
    torch.testing.assert_close(mixed, share * pixels + (1 - share) * twins)
    hard = functional.one_hot(label, 3).float()
    torch.testing.assert_close(target, share * hard + (1 - share) * hard.flip(0))
    assert make_mixup(recipe_for("full"), classes=3) is None
