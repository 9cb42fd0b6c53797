"""Source: where backbones come from, as the rest of the room sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import nn

from featkit.backbones.preprocessing import Preprocessing

__all__ = ["Built", "Options", "Source"]


@dataclass(frozen=True)
class Options:
    """How a network is wanted.

    Attributes:
        pooling: `avg`, `cls`, `cls+avg`, `logits`, or None for the network's own.
        image_size: Side of the square input in pixels, or None for the network's own.
        random_weights: Do not load weights; leave the network as its library initialises it
            (whoever calls `build` seeds the generator).
    """

    pooling: str | None = None
    image_size: int | None = None
    random_weights: bool = False


@dataclass(frozen=True, eq=False)
class Built:
    """A network as a source built it; dimension, size and fingerprint are measured elsewhere.

    Attributes:
        name: The resolved name within the source (`resnet50.a1_in1k`).
        architecture: The network's name in its library (`resnet50`).
        network: Normalised images (B, 3, H, W), float32, to features (B, D), without a
            classification layer (but for pooling `logits`, which is that layer's output).
        preprocessing: How images become the network's input.
        pooling: `avg`, `cls`, `cls+avg`, `logits`, or `default` for the network's own.
        trained_on: As in `Backbone`.
    """

    name: str
    architecture: str
    network: nn.Module
    preprocessing: Preprocessing
    pooling: str = "default"
    trained_on: tuple[str, ...] = ()


@runtime_checkable
class Source(Protocol):
    """A place that backbones come from; made without arguments, and without state.

    A distribution adds one as an entry point of the group `featkit.backbones` that has the
    prefix's name and leads to the class.
    """

    @property
    def prefix(self) -> str:
        """What stands before the colon in a spec."""

    def names(self) -> Sequence[str]:
        """Return the names that can be listed, sorted. Must be cheap."""

    def has(self, name: str) -> bool:
        """Tell whether `build` knows `name`. Must be cheap and touch no network."""

    def cached(self, name: str) -> bool:
        """Tell whether the weights of `name` are on this machine."""

    def build(self, name: str, options: Options) -> Built:
        """Build the network of `name`, which `has` knows.

        Raises:
            BackboneError: The weights cannot be had, or the network does not allow the options.
        """
