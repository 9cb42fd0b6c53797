"""Folding: a frozen batch normalisation computed as part of the convolution before it.

A normalisation by fixed statistics is linear, so that convolution and normalisation are one
convolution with other weights. Those are computed anew in each step, which is little beside the
passes over all activations that it saves; the parameters and their gradients stay what they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.norm_act import BatchNormAct2d
from timm.layers.padding import pad_same
from torch import Tensor, nn

__all__ = ["Pair", "folded", "pairs"]

_SAVING = (nn.Hardtanh, nn.SiLU, nn.Hardswish)
"""Activations whose gradient needs their input: in place they must copy it first."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A convolution whose output goes into a normalisation and nowhere else.

    Attributes:
        convolution: A `Conv2d`, perhaps with TensorFlow's padding.
        normalisation: A `BatchNorm2d`, perhaps with an activation after it.
    """

    convolution: nn.Conv2d
    normalisation: nn.BatchNorm2d

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias of both together."""
        convolution, normalisation = self.convolution, self.normalisation
        mean, variance = (normalisation.get_buffer(f"running_{name}") for name in ("mean", "var"))
        scale = normalisation.weight * torch.rsqrt(variance + normalisation.eps)
        offset = -mean if convolution.bias is None else convolution.bias - mean
        bias = torch.addcmul(normalisation.bias, offset, scale)
        return convolution.weight * scale.view(-1, 1, 1, 1), bias

    def convolve(self, x: Tensor) -> Tensor:
        """Return the normalised output of the convolution."""
        convolution = self.convolution
        weight, bias = self.weights()
        if isinstance(convolution, Conv2dSame):
            kernel, stride, dilation = map(
                list, (convolution.kernel_size, convolution.stride, convolution.dilation)
            )
            x = pad_same(x, kernel, stride, dilation)
        output: Tensor = convolution._conv_forward(x, weight, bias)
        return output

    def activate(self, x: Tensor) -> Tensor:
        """Return what the normalisation does besides."""
        after = self.normalisation
        if isinstance(after, BatchNormAct2d):
            x = after.act(after.drop(x))
        return x


def pairs(network: nn.Module, inputs: Tensor) -> list[Pair]:
    """Return what can be folded, found by following an input through the network.

    Args:
        network: In evaluation mode.
        inputs: Any it takes, shape (B, 3, H, W).
    """
    outputs: dict[Any, nn.Conv2d] = {}  # by the node of the graph that made them
    found: list[tuple[Any, Pair]] = []
    called: Counter[nn.Module] = Counter()

    def convolved(module: nn.Module, _: Any, output: Tensor) -> None:
        called[module] += 1
        outputs[output.grad_fn] = module  # type: ignore[assignment]

    def normalising(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        called[module] += 1
        node = given[0].grad_fn
        if node in outputs:
            found.append((node, Pair(outputs[node], module)))  # type: ignore[arg-type]

    hooks = []
    for module in network.modules():
        if type(module) in {nn.Conv2d, Conv2dSame}:
            hooks.append(module.register_forward_hook(convolved))
        elif type(module) in {nn.BatchNorm2d, BatchNormAct2d} and _fixed(module):
            hooks.append(module.register_forward_pre_hook(normalising))
    try:
        with torch.enable_grad():
            result = network(inputs.detach().requires_grad_())
    finally:
        for hook in hooks:
            hook.remove()
    uses = _uses(result.grad_fn)
    return [
        pair
        for node, pair in found
        if uses[node] == called[pair.convolution] == called[pair.normalisation] == 1
    ]


def _fixed(module: nn.Module) -> bool:
    """Tell whether a normalisation has statistics and an affine map to fold."""
    return getattr(module, "running_mean", None) is not None and module.weight is not None


def _uses(node: Any) -> Counter[Any]:
    """Return how many inputs of other nodes each node's output is."""
    uses: Counter[Any] = Counter()
    waiting = [] if node is None else [node]
    while waiting:
        for below, _ in waiting.pop().next_functions:
            if below is not None:
                if not uses[below]:
                    waiting.append(below)
                uses[below] += 1
    return uses


@contextmanager
def folded(network: nn.Module, foldable: Sequence[Pair]) -> Iterator[None]:
    """Compute the pairs whose normalisation is frozen as one convolution, until the block ends."""
    frozen = [pair for pair in foldable if not pair.normalisation.training]
    copying = [
        module for module in network.modules() if isinstance(module, _SAVING) and module.inplace
    ]
    for pair in frozen:
        pair.convolution.forward = pair.convolve  # type: ignore[method-assign, assignment]
        pair.normalisation.forward = pair.activate  # type: ignore[method-assign, assignment]
    for module in copying:
        module.inplace = False
    try:
        yield
    finally:
        for module in copying:
            module.inplace = True
        for pair in frozen:
            del pair.convolution.forward, pair.normalisation.forward
