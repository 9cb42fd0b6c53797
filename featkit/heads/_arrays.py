"""Where arrays live: NumPy on a CPU, PyTorch on a GPU, through the functions that both have.

The solver of the linear head is written once, in terms of `xp` and operators. On a CPU NumPy's
BLAS is the faster one for a tall matrix times a few dozen columns, and starts without torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["CPU", "Arrays", "arrays_on", "torch_arrays"]


class Arrays(NamedTuple):
    """A library of arrays, and the way there and back."""

    xp: Any
    """NumPy or PyTorch: names, `axis` and `keepdims` are used that both understand."""
    send: Callable[[Any], Any]
    """From a NumPy array."""
    fetch: Callable[[Any], Any]
    """To a NumPy array."""
    transposed: Callable[[Any], Any]
    """The transpose of a matrix, laid out as products with it are quickest."""


CPU = Arrays(np, np.asarray, np.asarray, lambda matrix: np.ascontiguousarray(matrix.T))


def arrays_on(device: str) -> Arrays:
    """Return the arrays of `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        UsageError: The name is unknown, or this computer has no such device.
    """
    if device == "cpu":
        return CPU
    from featkit.hardware.devices import resolve_device

    found = resolve_device(device)
    return CPU if found.type == "cpu" else torch_arrays(str(found))


def torch_arrays(device: str) -> Arrays:
    """Return PyTorch's arrays on a device."""
    import torch

    return Arrays(
        torch,
        lambda array: torch.as_tensor(array, device=device),
        lambda array: array.cpu().numpy(),
        lambda matrix: matrix.T,
    )
