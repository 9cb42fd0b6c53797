"""Team: the process that trains, or the several that accelerate launched to train together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast, broadcast_object_list, gather_object
from torch import Tensor, nn

from featkit.errors import UsageError
from featkit.hardware.devices import resolve_device

__all__ = ["Team", "make_team"]

Item = TypeVar("Item")

_MIXED = {"fp32": "no", "bf16": "bf16", "fp16": "fp16"}


class Team:
    """One process, unless `accelerate launch` started more: then each has a share of each batch.

    Args:
        accelerator: Places the network, computes in mixed precision, and adds up gradients.
        precision: `fp32`, `bf16` or `fp16`.
    """

    def __init__(self, accelerator: Accelerator, precision: str) -> None:
        self.accelerator = accelerator
        self.precision = precision
        self.device: torch.device = accelerator.device
        self.size: int = accelerator.num_processes
        self.rank: int = accelerator.process_index
        self._scale_at_first = self.scale

    @property
    def leads(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return this process's share of a batch."""
        return items[self.rank :: self.size]

    def together(self, share: Sequence[Item]) -> list[Item]:
        """Return every process's share, in the order of the whole."""
        if self.size == 1:
            return list(share)
        shares = gather_object([list(share)])
        whole: list[Item] = [None] * sum(map(len, shares))  # type: ignore[list-item]
        for rank, part in enumerate(shares):
            whole[rank :: self.size] = part
        return whole

    def agree(self, value: Item) -> Item:
        """Return the leading process's value."""
        if self.size == 1:
            return value
        values = [value]
        broadcast_object_list(values)
        return values[0]

    def leader_first(self) -> AbstractContextManager[None]:
        """Let the leading process through the block, then the others, who find its files."""
        turn: AbstractContextManager[None] = self.accelerator.main_process_first()
        return turn

    def mean(self, value: Tensor) -> float:
        """Return the mean of every process's number."""
        return float(self.accelerator.reduce(value, "mean").item())

    def align(self, module: nn.Module) -> None:
        """Give every process the leading one's statistics of batch normalisation."""
        if self.size > 1:
            broadcast(list(module.buffers()))

    @property
    def scale(self) -> dict[str, Any]:
        """How fp16 scales its losses at present, JSON-like; empty in other precisions."""
        scaler = self.accelerator.scaler
        return {} if scaler is None else scaler.state_dict()

    def prepare(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        scale: Mapping[str, Any] | None,
    ) -> tuple[Any, Any]:
        """Return model and optimiser as accelerate wants them used.

        Args:
            model: On the device.
            optimizer: Of its parameters.
            scale: Of losses in fp16, where a training continues; None = as at first.
        """
        if self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(scale or self._scale_at_first)
        prepared: tuple[Any, Any] = self.accelerator.prepare(model, optimizer)
        return prepared

    def release(self) -> None:
        """Let go of what was prepared, which accelerate holds until it is told."""
        self.accelerator.free_memory()


def make_team(device: str, precision: str) -> Team:
    """Return the team on a device.

    Args:
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`; with several processes each takes its own.
        precision: `auto`, `fp32`, `bf16` or `fp16`.

    Raises:
        UsageError: There is no such device, or it cannot compute in this precision.
    """
    place = resolve_device(device)
    chosen = _precision(precision, place)
    AcceleratorState._reset_state(reset_partial_state="LOCAL_RANK" not in os.environ)
    named = place.type == "cuda" and device not in {"auto", "cuda"}
    before = os.environ.get(_DEVICE)
    if named:
        os.environ[_DEVICE] = str(place)
    try:
        accelerator = Accelerator(mixed_precision=_MIXED[chosen], cpu=place.type == "cpu")
    finally:
        if named:
            _restore(before)
    return Team(accelerator, chosen)


_DEVICE = "ACCELERATE_TORCH_DEVICE"
"""How accelerate is told a device other than the first."""


def _restore(value: str | None) -> None:
    if value is None:
        del os.environ[_DEVICE]
    else:
        os.environ[_DEVICE] = value


def _precision(precision: str, device: torch.device) -> str:
    if precision == "auto":
        good = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16" if good else "fp32"
    if precision == "fp16" and device.type != "cuda":
        raise UsageError(
            "precision fp16",
            cause=f"training in fp16 needs an NVIDIA GPU, and this runs on {device.type}",
            remedy="Use precision fp32 or bf16",
        )
    return precision
