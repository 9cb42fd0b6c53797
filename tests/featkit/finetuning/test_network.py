import copy

import pytest
import torch
from torch import nn

from featkit.backbones import load_backbone
from featkit.finetuning import STRATEGIES
from featkit.finetuning._network import Classifier, changing, parameter_groups, train_mode


def load(spec, **options):
    return load_backbone(spec, random_weights=True, **options)


NETWORKS = {
    # spec, options, parameters of the last stage by their prefixes
    "timm:mobilenetv2_050": ({"image_size": 32}, ("blocks.6", "conv_head", "bn2")),
    "timm:resnet18": ({"image_size": 32}, ("layer4",)),
    "timm:vit_tiny_patch16_224": ({"image_size": 32}, ("blocks.11", "norm")),
    "timm:vit_tiny_patch16_224+avg": (
        {"image_size": 32, "pooling": "avg"},
        ("network.blocks.11", "network.norm"),
    ),
    "timm:convnext_atto": ({"image_size": 32}, ("stages.3", "head.norm")),
    "torchvision:resnet18": ({"image_size": 32}, ("layer4",)),
    "torchvision:alexnet": ({"image_size": 64}, ("classifier.4",)),
    "torchvision:vgg11": ({"image_size": 32}, ("classifier.3",)),
    "torchvision:mobilenet_v3_small": ({"image_size": 32}, ("classifier.0",)),
    "featkit:tiny": ({"image_size": 32}, ("5",)),
    "featkit:small-cnn": ({}, ("28", "30")),
}


@pytest.fixture(scope="module")
def backbones():
    made = {}

    def get(name):
        if name not in made:
            made[name] = load(name.partition("+")[0], **NETWORKS[name][0])
        return made[name]

    return get


def trained_names(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


LAST = {"last.weight", "last.bias"}


@pytest.mark.parametrize("name", NETWORKS)
def test_strategies_train_what_they_say(backbones, name):
    backbone, stage = backbones(name), NETWORKS[name][1]
    inside = {f"network.{key}" for key, _ in backbone.network.named_parameters()}
    prefixes = tuple(f"network.{prefix}." for prefix in stage)
    expected = {
        "head": LAST,
        "last": LAST | {key for key in inside if key.startswith(prefixes)},
        "full": LAST | inside,
        "lp-ft": LAST | inside,
    }
    assert LAST < expected["last"] < expected["full"]
    for strategy in STRATEGIES:
        model = Classifier(backbone, 3, strategy)
        assert trained_names(model) == expected[strategy]
        by_hand = sum(p.numel() for k, p in model.named_parameters() if k in expected[strategy])
        assert model.trained() == by_hand


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("strategy", ["last", "full"])
def test_groups_hold_every_trained_parameter_once(backbones, name, strategy):
    model = Classifier(backbones(name), 3, strategy)
    groups = parameter_groups(model, weight_decay=0.1, layer_decay=0.5)
    found = [parameter for group in groups for parameter in group["params"]]
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert sorted(map(id, found)) == sorted(map(id, trained))
    for group in groups:
        matrices = {parameter.ndim > 1 for parameter in group["params"]}
        assert matrices == {group["weight_decay"] == 0.1}
    scale = {id(p): group["lr_scale"] for group in groups for p in group["params"]}
    assert scale[id(model.last.weight)] == scale[id(model.last.bias)] == 1.0
    if strategy == "full":
        # Rates fall from output to input, by one factor a layer.
        steps = sorted({group["lr_scale"] for group in groups}, reverse=True)
        assert steps == [0.5**distance for distance in range(len(steps))]
        assert len(steps) >= 3
        first = next(p for p in model.network.parameters() if p.ndim > 1)
        assert scale[id(first)] == steps[-1]


def test_layer_decay_is_monotone_along_a_network(backbones):
    model = Classifier(backbones("timm:resnet18"), 3, "full")
    groups = parameter_groups(model, weight_decay=0.1, layer_decay=0.9)
    scale = {id(p): group["lr_scale"] for group in groups for p in group["params"]}
    along = [scale[id(p)] for _, p in model.network.named_parameters()]
    assert along == sorted(along)


def test_without_layer_decay_all_learn_alike(backbones):
    model = Classifier(backbones("timm:resnet18"), 3, "full")
    groups = parameter_groups(model, weight_decay=0.1, layer_decay=1.0)
    assert {group["lr_scale"] for group in groups} == {1.0}


def test_all_classes_start_alike_and_nothing_is_drawn(fakes):
    backbone, before = fakes.backbone(), torch.get_rng_state()
    model = Classifier(backbone, 5, "full").eval()
    assert torch.equal(torch.get_rng_state(), before)
    with torch.no_grad():
        logits = model(torch.rand(4, 3, 10, 10))
    assert torch.equal(logits, torch.zeros(4, 5))
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())


def step(model, batch_norm="trained"):
    """One step in training mode, large enough to change whatever may change."""
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    model.train()
    train_mode(model, batch_norm=batch_norm)
    inputs = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0)) + 1
    nn.functional.cross_entropy(model(inputs), torch.tensor([0, 1, 2, 0, 1, 2])).backward()
    optimizer.step()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_frozen_stays_as_it_was_bit_for_bit_statistics_too(backbones, strategy):
    model = Classifier(copy.deepcopy(backbones("featkit:tiny")), 3, strategy)
    nn.init.normal_(model.last.weight)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    step(model)
    after = model.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed == set(changing(model))
    if strategy == "head":
        assert changed == LAST
    if strategy == "last":
        assert all(name.startswith(("network.5.", "last.")) for name in changed)
        assert any("running_mean" in name for name in changed)
    if strategy == "full":
        assert changed == set(after)


def test_frozen_parts_are_whole_and_trained_ones_drop_out():
    """Dropout inside of what is frozen would only make its features noisy."""
    inner = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    outer = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.BatchNorm1d(4))
    model = nn.Sequential(inner, outer)
    for parameter in inner.parameters():
        parameter.requires_grad_(False)
    inner.train()
    outer.eval()
    train_mode(model, batch_norm="trained")
    assert not any(module.training for module in inner.modules())
    assert all(module.training for module in outer.modules())


def test_frozen_batch_normalisation_keeps_its_statistics_and_is_trained(backbones):
    model = Classifier(copy.deepcopy(backbones("featkit:tiny")), 3, "full")
    nn.init.normal_(model.last.weight)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    step(model, batch_norm="frozen")
    kept = {
        name for name, tensor in model.state_dict().items() if torch.equal(tensor, before[name])
    }
    assert kept == {name for name in before if "running_" in name or "num_batches" in name}
