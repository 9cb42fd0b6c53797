"""Feed: batches of images on the device, and what a network makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from featkit.backbones import Backbone
from featkit.finetuning._ahead import ahead
from featkit.finetuning._augmentation import Augmentation
from featkit.finetuning._pixels import Pixels
from featkit.finetuning._samples import Order
from featkit.finetuning._team import Team
from featkit.hardware.devices import default_batch

__all__ = ["Feed"]


@dataclass(frozen=True, eq=False)
class Feed:
    """Brings images to the device.

    Attributes:
        pixels: The resized images.
        augmentation: Of training images.
        backbone: Crops and normalises the others.
        team: Knows the device, and this process's share of each batch.
    """

    pixels: Pixels
    augmentation: Augmentation
    backbone: Backbone
    team: Team

    def epoch(self, order: Order, number: int) -> Iterator[Tensor]:
        """Yield this process's share of an epoch's batches, each the network's input."""
        return ahead(self._varied(order, number), self.team.device)

    def _varied(self, order: Order, number: int) -> Iterator[Tensor]:
        for batch in order.epoch(number):
            mine = batch.share(self.team.rank, self.team.size)
            yield self.augmentation(mine.chances, self.pixels.raw(mine.rows, pinned=self._pins))

    def outputs(self, network: nn.Module, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return what a network in evaluation mode makes of plain images, shape (n, K).

        Args:
            network: Normalised images to a row each, on the team's device.
            rows: Rows of the pixels, shape (n,).
        """
        team = self.team
        plain = ahead(self._plain(team.share(rows.tolist())), team.device)
        with torch.inference_mode(), team.accelerator.autocast():
            # Fetched at the end, since each copy would make a GPU wait for the next batch.
            found = [network(inputs).float() for inputs in plain]
        mine = [row for output in found for row in output.cpu().numpy()]
        return np.stack(team.together(mine)) if len(rows) else np.empty((0, 0), np.float32)

    def example(self) -> Tensor:
        """Return an input of the network, without an image."""
        return torch.zeros(1, 3, *self.backbone.preprocessing.crop, device=self.team.device)

    def _plain(self, rows: Sequence[int]) -> Iterator[Tensor]:
        size, device = default_batch(self.team.device), self.team.device
        for start in range(0, len(rows), size):
            crops = [
                self.backbone.preprocessing.cropped(self.pixels.image(row))
                for row in rows[start : start + size]
            ]
            pixels = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
            pixels = pixels.pin_memory() if self._pins else pixels
            inputs = self.backbone.normalise(pixels.to(device, non_blocking=True))
            yield inputs.contiguous(memory_format=torch.channels_last)

    @property
    def _pins(self) -> bool:
        return self.team.device.type == "cuda"
