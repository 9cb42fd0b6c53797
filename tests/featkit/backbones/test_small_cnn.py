"""The small CNN without weights."""

import pytest
import torch
from torch import nn

from featkit.backbones import list_backbones, load_backbone
from featkit.errors import BackboneError


@pytest.fixture(scope="module")
def small():
    return load_backbone("featkit:small-cnn", random_weights=True)


def test_layers_are_those_of_the_original(small):
    layers = list(small.network.modules())
    channels = [layer.out_channels for layer in layers if isinstance(layer, nn.Conv2d)]
    dense = [(m.in_features, m.out_features) for m in layers if isinstance(m, nn.Linear)]
    norms = [m.num_features for m in layers if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert channels == [16, 32, 64, 128, 256]
    assert dense == [(256, 256), (256, 128), (128, 64), (64, 32)]
    assert norms == [16, 64, 256, 128, 64, 32]
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in layers) == 2
    # Keras counts what a network of these layers has, its last one of seven classes left out.
    convolutions = sum(9 * a * b + b for a, b in [(3, 16), (16, 32), (32, 64)])
    convolutions += sum(9 * a * b + b for a, b in [(64, 128), (128, 256)])
    linear = sum(a * b + b for a, b in dense)
    assert small.parameters == convolutions + linear + 2 * sum(norms)


def test_its_features_are_the_penultimate_layer(small):
    assert (small.dimension, small.preprocessing.crop) == (32, (28, 28))
    assert (small.spec, small.random_weights) == ("featkit:small-cnn", True)
    with torch.inference_mode():
        flat = [isinstance(layer, nn.AdaptiveAvgPool2d) for layer in small.network].index(True)
        maps = nn.Sequential(*list(small.network)[:flat])(torch.zeros(1, 3, 28, 28))
        features = small.features(torch.randint(0, 255, (4, 3, 28, 28), dtype=torch.uint8))
    assert maps.shape == (1, 256, 1, 1)
    assert features.shape == (4, 32)
    assert features.std() > 0


def test_it_has_no_weights_and_says_so():
    with pytest.raises(BackboneError, match=r"no weights for featkit:small-cnn: .*--random-weigh"):
        load_backbone("featkit:small-cnn")
    assert "featkit:small-cnn" not in {row.spec for row in list_backbones("small-cnn").rows}


def test_other_sizes():
    assert load_backbone("small-cnn", random_weights=True, image_size=64).dimension == 32
    with pytest.raises(BackboneError, match=r"images of 27 px: the network needs 28 px or more"):
        load_backbone("featkit:small-cnn", random_weights=True, image_size=27)


def test_it_learns(small):
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(32) % 2
    pixels = torch.rand(32, 3, 28, 28, generator=generator) + label[:, None, None, None]
    network = nn.Sequential(
        load_backbone("featkit:small-cnn", random_weights=True).network, nn.Linear(32, 2)
    ).train()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(15):
        loss = nn.functional.cross_entropy(network(pixels), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
