"""A model as one torch network: pixels in, calibrated probabilities out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from featkit.backbones import Backbone
from featkit.errors import UsageError
from featkit.heads import Head, LinearHead, MLPHead
from featkit.models import TrainedModel

__all__ = ["Calibrated", "Normalised", "WholeModel", "head_network"]

_LEAST = float(np.finfo(np.float32).tiny)


class Normalised(nn.Module):
    """uint8 pixels (B, 3, H, W) to the network's input.

    Args:
        backbone: Whose mean and standard deviation are used.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        how = backbone.preprocessing
        self.register_buffer("mean", torch.tensor(how.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(how.std).view(1, 3, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        """Return float32 (B, 3, H, W)."""
        normalised: Tensor = (pixels.float() / 255 - self.mean) / self.std
        return normalised


class Calibrated(nn.Module):
    """The head's logits (B, K) to probabilities (B, C), calibrated and not.

    Args:
        model: Says which classes the head knows, and how it is calibrated.
    """

    place: Tensor
    unknown: Tensor
    bias: Tensor

    def __init__(self, model: TrainedModel) -> None:
        super().__init__()
        known, classes = model.facts.head.classes, len(model.classes)
        place = torch.zeros(len(known), classes)
        place[torch.arange(len(known)), torch.tensor(known)] = 1
        self.register_buffer("place", place)
        self.register_buffer("unknown", 1 - place.sum(dim=0))
        found = model.facts.calibration
        self.temperature = found.temperature or 1.0
        self.register_buffer("bias", torch.tensor(found.bias or (0.0,) * classes))

    def forward(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Return both; those of classes that the head does not know are about 0."""
        log_p = torch.log_softmax(logits, dim=1)
        # The least probability that `Calibrator` knows, so that both give the same.
        floor = float(np.log(_LEAST))
        whole = log_p.clamp(min=floor) @ self.place + floor * self.unknown
        return (
            torch.softmax(whole / self.temperature + self.bias, dim=1),
            torch.softmax(whole, dim=1),
        )


class WholeModel(nn.Module):
    """uint8 pixels (B, 3, H, W), resized and cropped, to probabilities (B, C).

    Calibrated ones, and those of the head alone, by which it decides.

    Args:
        model: With a head of layers.
        backbone: Its backbone.

    Raises:
        UsageError: The head is no network, or predictions are averaged over views.
    """

    def __init__(self, model: TrainedModel, backbone: Backbone) -> None:
        super().__init__()
        if model.facts.head.tta > 1:
            raise UsageError(
                f"{model.facts.name} as one network",
                cause="its predictions are averaged over views of each image",
                remedy="Export a model that was trained without --tta",
            )
        self.normalised = Normalised(backbone)
        self.network = backbone.network
        self.head = head_network(model.head)
        self.calibrated = Calibrated(model)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return calibrated probabilities, and the head's own."""
        both: tuple[Tensor, Tensor] = self.calibrated(
            self.head(self.network(self.normalised(pixels)))
        )
        return both


def head_network(head: Head) -> nn.Sequential:
    """Return a trained head as layers: features (B, D) to logits (B, K) of the classes it knows.

    Raises:
        UsageError: It has no layers (LightGBM).
    """
    if isinstance(head, LinearHead):
        weight, bias = head.coef_, head.intercept_
        if len(weight) == 1:  # of two classes: the odds of the second
            weight = np.concatenate([np.zeros_like(weight), weight])
            bias = np.concatenate([np.zeros_like(bias), bias])
        return nn.Sequential(_standardised(head, weight, bias))
    if isinstance(head, MLPHead):
        first = _standardised(head, head.hidden_coef_.T, head.hidden_intercept_)
        return nn.Sequential(first, nn.ReLU(), _layer(head.coef_.T, head.intercept_))
    raise UsageError(
        f"a {type(head).__name__} as a network",
        cause="trees have no layers and no gradients",
        remedy="Use the linear or mlp head",
    )


def _standardised(
    head: LinearHead | MLPHead, weight: NDArray[np.floating], bias: NDArray[np.floating]
) -> nn.Linear:
    """Return a layer that does what `weight` (out, D) does to standardised features."""
    scaled = weight.astype(np.float64) / head.scale_
    return _layer(scaled, bias - scaled @ head.mean_.astype(np.float64))


def _layer(weight: NDArray[np.floating], bias: NDArray[np.floating]) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
        layer.bias.copy_(torch.from_numpy(np.ascontiguousarray(bias)))
    return layer.eval()
