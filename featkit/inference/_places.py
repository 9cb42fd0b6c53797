"""Where in a network features still have a place in the image, found by following an input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isqrt

import torch
from torch import Tensor, nn

from featkit.backbones import Backbone

__all__ = ["Place", "feature_place"]

_NEAR = 1e-4
"""Largest difference of a feature from a mean over places, relative to the largest feature."""

_FLAT = 1e-9
"""Gradients below this share of the largest are none."""


@dataclass(frozen=True, eq=False)
class Place:
    """The last layer whose output has places.

    Attributes:
        network: All of it.
        module: The layer; its output is (B, C, h, w), (B, h, w, C), or tokens (B, N, C).
        prefix: How many tokens come before the first patch; None where it gives maps.
        last: Whether channels come last in its maps.
        averaged: Whether the features are the means of its maps.
    """

    network: nn.Module
    module: nn.Module
    prefix: int | None
    last: bool
    averaged: bool

    def map_of(self, inputs: Tensor) -> Tensor:
        """Return the layer's maps (B, C, h, w) for normalised images (B, 3, H, W)."""
        with _outputs(self.network, [self.module]) as outputs:
            self.network(inputs)
        return _channels_first(outputs[-1][1], last=self.last)


def feature_place(backbone: Backbone, device: torch.device) -> Place | None:
    """Return the last place in a backbone's network that the features depend on; None without.

    It is found by sending noise through the network: the last maps, or tokens of a square of
    patches, that change the features wherever they change.
    """
    network = backbone.network
    inputs = torch.randn(
        (1, 3, *backbone.preprocessing.crop), generator=torch.Generator().manual_seed(0)
    ).to(device)
    with torch.enable_grad(), _outputs(network, list(network.modules())) as outputs:
        features: Tensor = network(inputs.requires_grad_())
        kinds = {id(value): _prefix(value, features, inputs) for _, value in outputs}
        found = [pair for pair in outputs if kinds[id(pair[1])] is not False]
        weights = torch.randn(features.shape[1], generator=torch.Generator().manual_seed(1))
        values = [value for _, value in found if value.requires_grad]
        if not values:
            return None
        slopes = torch.autograd.grad(
            (features @ weights.to(device)).sum(), values, allow_unused=True
        )
    by_value = {id(value): slope for value, slope in zip(values, slopes, strict=True)}
    for module, value in reversed(found):
        slope, prefix = by_value.get(id(value)), kinds[id(value)]
        last = prefix is None and not _has_proportions(value.shape[2:], inputs)
        if slope is None or not _everywhere(_channels_first(slope, last=last), prefix):
            continue
        averaged = prefix is None and _is_mean(_channels_first(value, last=last), features)
        return Place(network, module, None if prefix is None else int(prefix), last, averaged)
    return None


def _prefix(value: Tensor, features: Tensor, inputs: Tensor) -> int | bool | None:
    """Return None for maps, the number of tokens before the patches, or False for neither."""
    if value.dim() == 4:
        # Maps have the image's proportions, before or after their channels.
        first, last = (
            _has_proportions(size, inputs) for size in (value.shape[2:], value.shape[1:3])
        )
        return None if first or (last and value.shape[3] == features.shape[1]) else False
    if value.dim() == 3 and features.shape[1] % value.shape[2] == 0:
        before = value.shape[1] - isqrt(value.shape[1]) ** 2
        # A class token and a few registers, at most.
        return before if before <= 8 and value.shape[1] > before + 1 else False
    return False


def _has_proportions(size: Sequence[int], inputs: Tensor) -> bool:
    high, wide = size
    return wide > 1 and high * inputs.shape[3] == wide * inputs.shape[2]


def _channels_first(value: Tensor, *, last: bool) -> Tensor:
    return value.permute(0, 3, 1, 2) if last else value


def _everywhere(slope: Tensor, prefix: int | bool | None) -> bool:
    if prefix is None:
        by_place = slope[0].abs().sum(dim=0).flatten()
    else:
        by_place = slope[0, int(prefix) :].abs().sum(dim=1)
    return bool((by_place > _FLAT * slope.abs().sum()).all())


def _is_mean(value: Tensor, features: Tensor) -> bool:
    means = value.mean(dim=(2, 3))
    if means.shape != features.shape:
        return False
    return bool((means - features).abs().max() <= _NEAR * features.abs().max())


@contextmanager
def _outputs(
    network: nn.Module, modules: list[nn.Module]
) -> Iterator[list[tuple[nn.Module, Tensor]]]:
    """Collect the outputs of layers in the order in which they are computed."""
    outputs: list[tuple[nn.Module, Tensor]] = []

    def collect(module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            outputs.append((module, output))

    hooks = [module.register_forward_hook(collect) for module in modules if module is not network]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()
