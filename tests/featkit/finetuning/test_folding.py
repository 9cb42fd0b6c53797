import copy

import pytest
import torch
from timm import create_model
from torch import nn

from featkit.finetuning._folding import folded, pairs
from featkit.finetuning._network import train_mode

INPUT = torch.zeros(1, 3, 32, 32)


class Shared(nn.Module):
    """Of four convolutions only the last may be folded."""

    def __init__(self):
        super().__init__()
        self.twice, self.norm_of_twice = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
        self.skipped, self.norm_of_skipped = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
        self.changed, self.norm_of_changed = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
        self.plain, self.norm_of_plain = nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5)

    def forward(self, x):
        x = self.norm_of_twice(self.twice(self.twice(x)))
        y = self.skipped(x)
        x = y + self.norm_of_skipped(y)
        x = self.norm_of_changed(self.changed(x).relu_())
        return self.norm_of_plain(self.plain(x)).mean((2, 3))


def unlike(network):
    """Give normalisations statistics and maps that are not those of no normalisation."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            if module.weight is not None:
                nn.init.uniform_(module.weight, 0.5, 1.5, generator=generator)
                nn.init.normal_(module.bias, 0, 0.1, generator=generator)
    return network.eval()


def gradients(network, inputs):
    network.zero_grad()
    output = network(inputs)
    output.square().sum().backward()
    return output.detach(), {name: p.grad.clone() for name, p in network.named_parameters()}


def test_what_goes_elsewhere_too_is_left_alone():
    network = unlike(Shared())
    (pair,) = pairs(network, INPUT)
    assert pair.convolution is network.plain
    assert pair.normalisation is network.norm_of_plain


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet18", {}),
        ("mobilenetv2_100", {}),
        ("tf_efficientnetv2_b0", {}),
        ("regnety_002", {}),
        ("shared", {}),
    ],
)
def test_outputs_and_gradients_are_those_of_the_network(name, options):
    torch.manual_seed(0)
    network = Shared() if name == "shared" else create_model(name, num_classes=4, **options)
    network = unlike(network).double()
    inputs = torch.randn(2, 3, 32, 32, dtype=torch.double)
    found = pairs(network, INPUT.double())
    assert found
    expected, plain = gradients(network, inputs)
    with folded(network, found):
        output, together = gradients(network, inputs)
    torch.testing.assert_close(output, expected)
    for parameter, gradient in plain.items():
        torch.testing.assert_close(together[parameter], gradient, msg=parameter)


def test_it_is_the_convolution_that_normalises(monkeypatch):
    network = unlike(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU6(inplace=True)))
    called = []
    real = nn.functional.batch_norm
    monkeypatch.setattr(
        nn.functional, "batch_norm", lambda *a, **k: called.append(1) or real(*a, **k)
    )
    found = pairs(network, INPUT)
    called.clear()
    with folded(network, found):
        network(INPUT)
        assert not called
        assert not network[2].inplace
    network(INPUT)
    assert called
    assert network[2].inplace


@pytest.mark.parametrize("statistics", ["trained", "frozen"])
def test_statistics_that_are_trained_are_left_alone(statistics):
    network = unlike(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    before = network[1].running_mean.clone()
    found = pairs(network, INPUT)
    train_mode(network, batch_norm=statistics)
    with folded(network, found):
        network(torch.randn(4, 3, 32, 32))
    assert torch.equal(network[1].running_mean, before) == (statistics == "frozen")


def test_nothing_is_left_behind():
    network = unlike(create_model("mobilenetv2_100", num_classes=4))
    before, names = copy.deepcopy(network.state_dict()), set(vars(network.conv_stem))
    state = torch.get_rng_state()
    found = pairs(network, INPUT)
    assert len(found) == 52
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(KeyboardInterrupt), folded(network, found):
        raise KeyboardInterrupt
    assert set(vars(network.conv_stem)) == names
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, affine=False)),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4)),
        nn.Flatten(),
    ],
)
def test_nothing_to_fold(network):
    assert pairs(network.eval(), INPUT) == []
