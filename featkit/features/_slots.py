"""Slots: what each worker of a cluster is given, by the machines that there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from featkit.errors import UsageError
from featkit.hardware.cluster import Node

__all__ = ["Slot", "slots_of"]

_CORES = 16
"""Cores of a CPU worker, at most: with many more, its threads wait for one another."""


@dataclass(frozen=True)
class Slot:
    """What a worker is given.

    Attributes:
        node: The machine that it should be on.
        cores: Its cores.
        gpus: Its GPUs, 0 or 1.
    """

    node: str
    cores: int
    gpus: int


def slots_of(nodes: Sequence[Node], device: torch.device) -> list[Slot]:
    """Return the workers' slots: one for each GPU, or for each group of a machine's cores.

    Raises:
        UsageError: There is none.
    """
    slots = []
    for node in nodes:
        count = node.gpus if device.type == "cuda" else -(-node.cores // _CORES)
        gpus = 1 if device.type == "cuda" else 0
        slots += [Slot(node.key, node.cores // count, gpus)] * count if count else []
    if not slots:
        raise UsageError(
            "--engine ray",
            cause="the machines of the cluster have no cores to give away",
            remedy="Add a machine to the cluster (`ray start --address …`)",
        )
    return slots
