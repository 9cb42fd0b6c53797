"""What a network's weights are: how many, and which."""

from __future__ import annotations

import hashlib

import torch
from torch import nn

__all__ = ["count_parameters", "weights_sha256"]


def count_parameters(network: nn.Module) -> int:
    """Return the number of the network's parameters, shared ones counted once."""
    return sum(parameter.numel() for parameter in network.parameters())


def weights_sha256(network: nn.Module) -> str:
    """Return the SHA-256 over the network's tensors: names, types, shapes and bytes.

    Running statistics count, because they change the features as much as the parameters do.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        data = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(memoryview(data.numpy()))
    return digest.hexdigest()
