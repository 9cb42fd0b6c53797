"""Backbone: a network with its preprocessing, feature dimension and fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from featkit.backbones.preprocessing import Preprocessing
from featkit.fingerprints import fingerprint
from featkit.naming import backbone_name

__all__ = ["Backbone"]


@dataclass(frozen=True, eq=False)
class Backbone:
    """A network that turns images into features: pooled and pre-logit, or on request the logits.

    Attributes:
        spec: What the user asked for, resolved (`timm:resnet50.a1_in1k`).
        architecture: The network's name in its library.
        network: Normalised images (B, 3, H, W), float, to features (B, D). In evaluation mode.
        preprocessing: How images become the network's input.
        dimension: D.
        pooling: `avg`, `cls`, `cls+avg`, `logits`, or the network's own (`default`).
        parameters: Number of the network's parameters (without the classification layer, unless
            its logits are the features).
        weights_sha256: SHA-256 over the network's tensors.
        random_weights: True where the weights are random, on request.
        trained_on: Hashes of pixels and files of the images that featkit fine-tuned the weights
            on, and that heads on its features may therefore not be tested on.
    """

    spec: str
    architecture: str
    network: nn.Module
    preprocessing: Preprocessing
    dimension: int
    pooling: str
    parameters: int
    weights_sha256: str
    random_weights: bool = False
    trained_on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A short name for tables: `resnet50.a1_in1k`, with `+cls` or `+random` where so."""
        return backbone_name(
            self.spec, self.architecture, self.pooling, random_weights=self.random_weights
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over architecture, weights, pooling and preprocessing."""
        return fingerprint(
            self.architecture, self.weights_sha256, self.pooling, self.preprocessing.to_dict()
        )

    def normalise(self, pixels: Tensor) -> Tensor:
        """Return uint8 pixels (B, 3, H, W) as the network's float32 input, on the same device."""
        # Without waiting: a copy that blocks would make a GPU finish all that it was given.
        scale = torch.tensor([self.preprocessing.mean, self.preprocessing.std])
        mean, std = scale.to(pixels.device, non_blocking=True).view(2, 1, 3, 1, 1)
        normalised: Tensor = (pixels.float().div_(255) - mean) / std
        return normalised

    def features(self, pixels: Tensor) -> Tensor:
        """Return the features (B, D) of uint8 pixels (B, 3, H, W)."""
        output: Tensor = self.network(self.normalise(pixels))
        return output
