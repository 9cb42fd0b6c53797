"""Heat maps: which parts of an image speak for a class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from math import isqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from featkit.backbones import Backbone
from featkit.errors import UsageError
from featkit.heads import Head, LinearHead
from featkit.inference._modules import Normalised, head_network
from featkit.inference._places import Place, feature_place

__all__ = ["CAM", "GRADIENT", "GRAD_CAM", "OCCLUSION", "Heat", "Heater"]

CAM = "class activation map"
"""Zhou et al., "Learning deep features for discriminative localization", CVPR 2016: exact."""

GRAD_CAM = "Grad-CAM"
"""Selvaraju et al., ICCV 2017."""

GRADIENT = "gradient × activation"
"""Of tokens, before they mix for the last time."""

OCCLUSION = "occlusion"
"""Zeiler and Fergus, ECCV 2014: what the class's probability loses where a square is grey."""

_AT_ONCE = 16
"""Images whose maps are made together: gradients take memory."""

_SQUARES = 5
"""Squares along a side that are made grey in turn, each half over the next one."""


@dataclass(frozen=True, eq=False)
class Heat:
    """Heat maps of n images.

    Attributes:
        maps: How much each place speaks for the class, negative against it, (n, h, w), float32. Of
            an exact one the mean over places, plus a constant of the class, is how far its logit
            lies above the mean of all classes': logits alone have no zero.
        way: How they were made: `CAM`, `GRAD_CAM`, `GRADIENT` or `OCCLUSION`.
    """

    maps: NDArray[np.float32]
    way: str

    @property
    def exact(self) -> bool:
        """Whether the maps add up to what the model computes."""
        return self.way == CAM


class Heater:
    """Makes heat maps of a backbone with a head, in fp32.

    Args:
        backbone: Its network is used where it is.
        head: A trained head, its classes numbered as the model's.
    """

    def __init__(self, backbone: Backbone, head: Head) -> None:
        self._backbone, self._head = backbone, head

    @property
    def way(self) -> str:
        """How maps are made: `CAM`, `GRAD_CAM`, `GRADIENT` or `OCCLUSION`."""
        place = self._place
        if place is None or self._layers is None:
            return OCCLUSION
        if place.averaged and isinstance(self._head, LinearHead):
            return CAM
        return GRAD_CAM if place.prefix is None and not place.last else GRADIENT

    def check(self) -> None:
        """Raise UsageError where a library is needed that is not installed."""
        if self.way != CAM:
            _captum()

    def maps(self, pixels: NDArray[np.uint8], label: NDArray[np.intp]) -> Heat:
        """Return what speaks for a class in each image.

        Args:
            pixels: As the network sees them, (n, H, W, 3), uint8.
            label: Classes that the head was trained on, (n,).

        Raises:
            UsageError: A library is needed that is not installed; a class that the head does not
                know.
        """
        known = [int(each) for each in self._head.classes_]
        unknown = sorted({int(each) for each in label} - set(known))
        if unknown:
            raise UsageError(
                f"a heat map for class {unknown[0]}",
                cause="the head was trained on no image of it",
                remedy="Ask for another class",
            )
        target = torch.tensor([known.index(int(each)) for each in label], device=self._device)
        inputs = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(self._device)
        parts = [
            self._some(some, labels)
            for some, labels in zip(inputs.split(_AT_ONCE), target.split(_AT_ONCE), strict=True)
        ]
        return Heat(np.concatenate(parts), self.way)

    def _some(self, inputs: Tensor, target: Tensor) -> NDArray[np.float32]:
        place, layers = self._place, self._layers
        if place is None or layers is None:
            return self._by_occlusion(inputs, target)
        if self.way == CAM:
            return self._exact(inputs, target, place, layers)
        return self._by_gradient(inputs, target, place, layers)

    @cached_property
    def _device(self) -> torch.device:
        parameter = next(self._backbone.network.parameters(), None)
        return torch.device("cpu") if parameter is None else parameter.device

    @cached_property
    def _normalised(self) -> Normalised:
        return Normalised(self._backbone).to(self._device)

    @cached_property
    def _layers(self) -> nn.Sequential | None:
        """The head as layers; None where it has none."""
        try:
            return nn.Sequential(*head_network(self._head), _Centred()).to(self._device)
        except UsageError:
            return None

    @cached_property
    def _place(self) -> Place | None:
        return feature_place(self._backbone, self._device)

    def _exact(
        self, inputs: Tensor, target: Tensor, place: Place, layers: nn.Sequential
    ) -> NDArray[np.float32]:
        """Return the terms of the logit: its pooled features are means over places."""
        with torch.inference_mode():
            features = place.map_of(self._normalised(inputs))
            coefficients = next(layers.parameters())
            weights = (coefficients - coefficients.mean(dim=0))[target]
            found: Tensor = torch.einsum("ndhw,nd->nhw", features.double(), weights.double())
        return found.float().cpu().numpy()

    def _by_gradient(
        self, inputs: Tensor, target: Tensor, place: Place, layers: nn.Sequential
    ) -> NDArray[np.float32]:
        attr = _captum()
        whole = nn.Sequential(self._normalised, self._backbone.network, layers)
        inputs = inputs.float().requires_grad_()
        if place.prefix is None and not place.last:
            found = attr.LayerGradCam(whole, place.module).attribute(inputs, target=target)
            return _numbers(found[:, 0])
        product = attr.LayerGradientXActivation(whole, place.module)
        found = product.attribute(inputs, target=target).sum(dim=-1)
        if place.prefix is None:
            return _numbers(found)
        tokens = found[:, place.prefix :]
        side = isqrt(tokens.shape[1])
        return _numbers(tokens.reshape(len(tokens), side, side))

    def _by_occlusion(self, inputs: Tensor, target: Tensor) -> NDArray[np.float32]:
        size = tuple(-(-length // _SQUARES) for length in inputs.shape[2:])
        step = tuple(max(1, length // 2) for length in size)
        grey = torch.tensor(self._backbone.preprocessing.mean, device=self._device) * 255
        occlusion = _captum().Occlusion(self._log_probabilities)
        found = occlusion.attribute(
            inputs.float(),
            sliding_window_shapes=(3, *size),
            strides=(3, *step),
            baselines=grey.view(1, 3, 1, 1).expand_as(inputs),
            target=target,
            perturbations_per_eval=8,
        )
        return _numbers(found.mean(dim=1))

    def _log_probabilities(self, pixels: Tensor) -> Tensor:
        with torch.inference_mode():
            features = self._backbone.network(self._normalised(pixels)).float().cpu().numpy()
        known = np.log(np.maximum(self._head.predict_proba(features), 1e-12))
        return torch.from_numpy(known).to(pixels.device)


class _Centred(nn.Module):
    """Logits (B, K) less their mean over classes."""

    def forward(self, logits: Tensor) -> Tensor:
        return logits - logits.mean(dim=1, keepdim=True)


def _numbers(found: Tensor) -> NDArray[np.float32]:
    numbers: NDArray[np.float32] = found.detach().float().cpu().numpy()
    return numbers


def _captum() -> Any:
    try:
        return import_module("captum.attr")
    except ImportError as error:
        raise UsageError(
            "a heat map of this model",
            cause="it is made by captum, which is not installed",
            remedy="Install it: pip install 'featkit[explain]'",
        ) from error
