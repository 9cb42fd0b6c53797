"""Clock: what a training costs, in seconds on the wall and of the device."""

from __future__ import annotations

import time

import torch

from featkit.hardware.devices import worked_seconds

__all__ = ["Clock"]


class Clock:
    """Counts from its making.

    Args:
        device: Whose work is counted.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._wall, self._worked = time.perf_counter(), worked_seconds(device)

    def lap(self) -> tuple[float, float]:
        """Return wall and device seconds since the last lap."""
        worked = worked_seconds(self._device)  # waits for the device
        wall = time.perf_counter()
        spent = wall - self._wall, worked - self._worked
        self._wall, self._worked = wall, worked
        return spent
