"""A crew: the same network on several devices, which take batches in turn."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle

import torch
from torch import Tensor

from featkit.features._forward import Forward
from featkit.features._networks import Features, Networks

__all__ = ["Crew"]


class Crew:
    """Runs batches on one device after another.

    Args:
        first: The forward pass on the first device.
        others: Further devices of its kind; the network is copied to them.
    """

    def __init__(self, first: Forward, others: Sequence[torch.device] = ()) -> None:
        self._members = [first, *(_copied(first, device) for device in others)]
        self._next = cycle(self._members)

    def __len__(self) -> int:
        return len(self._members)

    @property
    def batch_size(self) -> int:
        """Images at once: the fewest of all devices."""
        return min(member.batch_size for member in self._members)

    @property
    def seconds(self) -> float:
        """Time that the networks took so far, added up."""
        return sum(member.seconds for member in self._members)

    def peak_memory(self) -> int:
        """Return the most memory used so far on a device, in bytes."""
        return max(member.peak_memory() for member in self._members)

    def worked(self) -> float:
        """Return a clock of what the devices work together, in seconds."""
        return sum(member.worked() for member in self._members)

    def buffer(self, shape: tuple[int, ...]) -> Tensor:
        """Return an empty tensor for pixels from which copies to the devices are fast."""
        return self._members[0].buffer(shape)

    def start(self, pixels: Tensor) -> Callable[[], Features]:
        """Begin with pixels (B, H, W, 3) where they are; those on the host, on the next device.

        See `Forward.start`.
        """
        if pixels.device.type == "cpu":
            return next(self._next).start(pixels)
        [member] = [each for each in self._members if each.device == pixels.device]
        return member.start(pixels)


def _copied(forward: Forward, device: torch.device) -> Forward:
    backbone = forward.networks.backbone
    network = copy.deepcopy(backbone.network).to(device)
    networks = Networks(replace(backbone, network=network), device)
    return Forward(networks, way=forward.way, batch_size=forward.batch_size)
