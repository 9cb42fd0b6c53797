"""Feed: batches of images on the device, and what a network makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from featkit.backbones import Backbone
from featkit.finetuning._samples import EpochLoader, Order, Sample, Samples
from featkit.finetuning._team import Team
from featkit.hardware.devices import default_batch

__all__ = ["Feed"]

_FEW = 512
"""Images in all epochs below which starting processes costs more than it saves."""


@dataclass(frozen=True, eq=False)
class Feed:
    """Brings images to the device.

    Attributes:
        samples: Makes pixels.
        backbone: Normalises them.
        team: Knows the device.
        workers: Processes that load ahead.
    """

    samples: Samples
    backbone: Backbone
    team: Team
    workers: int

    def loader(self, order: Order, *, epochs: int) -> EpochLoader:
        """Return what loads this process's share of every batch of so many epochs."""

        def batches(number: int) -> list[Sequence[Sample]]:
            return [
                self.team.share([sample for sample, _ in batch]) for batch in order.epoch(number)
            ]

        few = epochs * order.steps * order.batch_size < _FEW
        return EpochLoader(
            self.samples,
            batches,
            steps=order.steps,
            epochs=epochs,
            workers=0 if few else self.workers,
            pinned=self.team.device.type == "cuda",
        )

    def placed(self, pixels: Tensor) -> Tensor:
        """Return uint8 pixels (B, 3, H, W) as the network's input, on the device."""
        moved = pixels.to(self.team.device, non_blocking=True)
        return self.backbone.normalise(moved).contiguous(memory_format=torch.channels_last)

    def outputs(self, network: nn.Module, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return what a network in evaluation mode makes of plain images, shape (n, K).

        Args:
            network: Normalised images to a row each, on the team's device.
            rows: Rows of the pixels, shape (n,).
        """
        team = self.team
        mine = team.share(rows.tolist())
        size = default_batch(team.device)
        found: list[NDArray[np.float32]] = []
        with torch.inference_mode(), team.accelerator.autocast():
            for start in range(0, len(mine), size):
                # Plain images are cut out of memory: no other process could be quicker.
                plain = [self.samples[Sample(row)] for row in mine[start : start + size]]
                found.extend(network(self.placed(torch.stack(plain))).float().cpu().numpy())
        return np.stack(team.together(found)) if len(rows) else np.empty((0, 0), np.float32)
