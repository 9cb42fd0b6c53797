"""The bundled source, `featkit:`: a small network that was trained on drawn lesions alone."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from safetensors.torch import load
from torch import Tensor, nn
from torch.nn.functional import relu

from featkit.backbones._source import Built, Options
from featkit.backbones.preprocessing import Preprocessing
from featkit.errors import BackboneError

__all__ = ["BUNDLED", "SIDE", "TinyNetwork", "tiny_preprocessing"]

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


class _BundledSource:
    """Networks whose weights are part of the package."""

    prefix = "featkit"

    def names(self) -> Sequence[str]:
        """Return the bundled networks' names."""
        return ["tiny"]

    def has(self, name: str) -> bool:
        """Tell whether a network of that name is bundled."""
        return name in self.names()

    def cached(self, name: str) -> bool:
        """Tell whether the weights are here: bundled ones always are."""
        return self.has(name)

    def build(self, name: str, options: Options) -> Built:
        """Build the network, its weights in float32.

        Raises:
            BackboneError: The options ask for what the network cannot do.
        """
        side = options.image_size or SIDE
        _check(f"featkit:{name}", options.pooling, side)
        network = TinyNetwork()
        if not options.random_weights:
            stored = load(resources.files(__package__).joinpath(f"{name}.safetensors").read_bytes())
            network.load_state_dict({key: tensor.float() for key, tensor in stored.items()})
        return Built(
            name=name,
            architecture=f"featkit_{name}",
            network=network,
            preprocessing=tiny_preprocessing(side),
            pooling=options.pooling or "default",
        )


def _check(spec: str, pooling: str | None, side: int) -> None:
    if pooling not in {None, "avg"}:
        raise BackboneError(
            f"{spec} with pooling {pooling}",
            cause="a convolutional network has no class token",
            remedy="Use pooling avg, or leave it out",
        )
    if side < _LEAST_SIDE:
        raise BackboneError(
            f"{spec} with images of {side} px",
            cause=f"the network needs {_LEAST_SIDE} px or more",
            remedy=f"Use an image size of {_LEAST_SIDE} or more, or leave it out",
        )


BUNDLED = _BundledSource()
"""The source of `featkit:` specs."""
