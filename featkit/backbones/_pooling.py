"""How a network's tokens become one vector, where the user chooses."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from featkit.errors import BackboneError, UsageError

__all__ = ["LOGITS", "POOLINGS", "TokenPooling", "check_pooling", "no_tokens", "pool_tokens"]

LOGITS = "logits"
"""No pooling of tokens: the network keeps its classification layer, whose outputs are taken."""

POOLINGS = ("avg", "cls", "cls+avg", LOGITS)
"""The patch tokens' mean, the class token, both, one after the other, or the logits."""


def pool_tokens(tokens: Tensor, pooling: str, *, prefix: int) -> list[Tensor]:
    """Return what `pooling` takes of tokens (B, N, D): one or two tensors (B, D).

    Args:
        tokens: Class token (if any), further prefix tokens, and patch tokens, in this order.
        pooling: One of `POOLINGS` that takes tokens.
        prefix: Number of tokens before the first patch.
    """
    parts = {"cls": tokens[:, 0], "avg": tokens[:, prefix:].mean(dim=1)}
    return [parts[name] for name in pooling.split("+")]


class TokenPooling(nn.Module):
    """A timm network of tokens with another pooling than its own.

    The normalisation that the network applies after its own pooling is kept.

    Args:
        network: Without a classification layer.
        pooling: One of `POOLINGS` that takes tokens.
        prefix: Number of tokens before the first patch.
    """

    def __init__(self, network: nn.Module, pooling: str, *, prefix: int) -> None:
        super().__init__()
        self.network = network
        self.pooling = pooling
        self.prefix = prefix

    def forward(self, x: Tensor) -> Tensor:
        """Return the features (B, D), or (B, 2 D) for `cls+avg`."""
        tokens: Tensor = self.network.forward_features(x)  # type: ignore[operator]
        parts = pool_tokens(tokens, self.pooling, prefix=self.prefix)
        norm = getattr(self.network, "fc_norm", None) or nn.Identity()
        return torch.cat([norm(part) for part in parts], dim=1)


def check_pooling(pooling: str | None) -> None:
    """Check that a pooling is known.

    Raises:
        UsageError: It is not.
    """
    if pooling is not None and pooling not in POOLINGS:
        raise UsageError(
            f"pooling {pooling}",
            cause="no such pooling",
            remedy=f"Use one of {', '.join(POOLINGS)}, or leave it out",
        )


def no_tokens(spec: str, pooling: str, *, kind: str) -> BackboneError:
    """Return the error for a pooling that the network has no tokens for.

    Args:
        spec: The backbone.
        pooling: What was asked for.
        kind: What the network lacks (`class token`, `patch tokens`).
    """
    return BackboneError(
        f"{spec} with pooling {pooling}",
        cause=f"the network has no {kind}",
        remedy="Leave pooling out for the network's own, or choose another backbone",
    )
