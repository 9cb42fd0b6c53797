"""The bundled source, `featkit:`: a network trained on drawn lesions, and one without weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

from safetensors.torch import load
from torch import Tensor, nn
from torch.nn.functional import relu

from featkit.backbones._pooling import LOGITS
from featkit.backbones._small_cnn import SMALL_SIDE, SmallNetwork, small_preprocessing
from featkit.backbones.preprocessing import Preprocessing
from featkit.backbones.source import Built, Options
from featkit.errors import BackboneError

__all__ = ["SIDE", "BundledSource", "TinyNetwork", "tiny_preprocessing"]

SIDE = 96
"""Side of the square input in pixels, unless another is asked for."""

_LEAST_SIDE = 32
"""Here the last feature map has two by two positions; below, next to nothing is seen."""


class _Block(nn.Module):
    """Two convolutions with a shortcut around them; halves height and width."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, 2, bias=False), nn.BatchNorm2d(outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H / 2, W / 2)."""
        return relu(self.main(x) + self.shortcut(x))


class TinyNetwork(nn.Sequential):
    """A residual network of 0.3 million parameters: (B, 3, H, W) to (B, 128)."""

    dimension = 128

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 24, 3, 2, 1, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(inplace=True),
            _Block(24, 32),
            _Block(32, 64),
            _Block(64, self.dimension),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )


def tiny_preprocessing(side: int = SIDE) -> Preprocessing:
    """Return how images become the tiny network's input, side × side pixels."""
    return Preprocessing(
        resize=side,
        crop=(side, side),
        interpolation="bicubic",
        mean=(0.76, 0.58, 0.55),
        std=(0.18, 0.18, 0.18),
    )


@dataclass(frozen=True)
class _Bundled:
    """A network of the package.

    Attributes:
        network: Makes it, with random weights.
        preprocessing: How images become its input, by the side in pixels.
        side: The side unless another is asked for.
        least_side: The smallest that it takes.
        trained: Whether its weights are part of the package.
    """

    network: Callable[[], nn.Module]
    preprocessing: Callable[[int], Preprocessing]
    side: int
    least_side: int
    trained: bool


_NETWORKS: Mapping[str, _Bundled] = MappingProxyType(
    {
        "tiny": _Bundled(TinyNetwork, tiny_preprocessing, SIDE, _LEAST_SIDE, trained=True),
        "small-cnn": _Bundled(
            SmallNetwork, small_preprocessing, SMALL_SIDE, SMALL_SIDE, trained=False
        ),
    }
)


class BundledSource:
    """Networks that are part of the package."""

    prefix = "featkit"

    def names(self) -> Sequence[str]:
        """Return the names of the networks with weights."""
        return [name for name, bundled in _NETWORKS.items() if bundled.trained]

    def has(self, name: str) -> bool:
        """Tell whether a network of that name is bundled, with weights or without."""
        return name in _NETWORKS

    def cached(self, name: str) -> bool:
        """Tell whether the weights are here: bundled ones always are."""
        return name in self.names()

    def build(self, name: str, options: Options) -> Built:
        """Build the network, its weights in float32.

        Raises:
            BackboneError: The network has no weights and random ones were not asked for, or the
                options ask for what it cannot do.
        """
        bundled = _NETWORKS[name]
        side = options.image_size or bundled.side
        _check(f"featkit:{name}", bundled, options, side)
        network = bundled.network()
        if not options.random_weights:
            stored = load(resources.files(__package__).joinpath(f"{name}.safetensors").read_bytes())
            network.load_state_dict({key: tensor.float() for key, tensor in stored.items()})
        return Built(
            name=name,
            architecture=f"featkit_{name.replace('-', '_')}",
            network=network,
            preprocessing=bundled.preprocessing(side),
            pooling=options.pooling or "default",
        )


def _check(spec: str, bundled: _Bundled, options: Options, side: int) -> None:
    if not (bundled.trained or options.random_weights):
        raise BackboneError(
            f"no weights for {spec}",
            cause="it is an architecture to train from scratch",
            remedy="Ask for random weights (--random-weights), or choose another backbone",
        )
    if options.pooling not in {None, "avg"}:
        lacks = "classifier of its own" if options.pooling == LOGITS else "class token"
        raise BackboneError(
            f"{spec} with pooling {options.pooling}",
            cause=f"a bundled convolutional network has no {lacks}",
            remedy="Use pooling avg, or leave it out",
        )
    if side < bundled.least_side:
        raise BackboneError(
            f"{spec} with images of {side} px",
            cause=f"the network needs {bundled.least_side} px or more",
            remedy=f"Use an image size of {bundled.least_side} or more, or leave it out",
        )
