"""Backbones: colours and edges by hand, what every trained network has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, conv2d

from featkit.backbones import Built, Options, Preprocessing
from featkit.errors import BackboneError

_SIDE = 64


class ColoursAndEdges(nn.Module):
    """Mean colour and mean strength of edges over a grid: (B, 3, H, W) to (B, 6 · cells²)."""

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.cells = cells
        across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
        # Parameters and buffers are the weights whose SHA-256 goes into every fingerprint.
        self.register_buffer("edges", torch.stack([across, across.T]).unsqueeze(1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of normalised images."""
        batch, channels, height, width = x.shape
        slopes = conv2d(x.reshape(-1, 1, height, width), self.edges, padding=1)
        strength = slopes.square().sum(1).add(1e-6).sqrt().reshape(batch, channels, height, width)
        maps = torch.cat([x, strength], dim=1)
        return adaptive_avg_pool2d(maps, self.cells).flatten(1)


class HandmadeSource:
    """Builds `handmade:grid2` and `handmade:grid4`."""

    prefix = "handmade"

    def names(self) -> Sequence[str]:
        """Return what `featkit backbones` lists."""
        return ["grid2", "grid4"]

    def has(self, name: str) -> bool:
        """Tell whether `build` knows a name."""
        return name in self.names()

    def cached(self, name: str) -> bool:
        """Tell whether nothing has to be downloaded."""
        return True

    def build(self, name: str, options: Options) -> Built:
        """Build the network as it is wanted; featkit measures dimension and fingerprint."""
        if options.pooling is not None:
            raise BackboneError(
                f"{self.prefix}:{name} with pooling {options.pooling}",
                cause="it has one way to pool, a grid",
                remedy="Leave --pooling out",
            )
        side = options.image_size or _SIDE
        return Built(
            name=name,
            architecture=f"colours_and_edges_{name}",  # another one where forward() changes
            network=ColoursAndEdges(cells=int(name.removeprefix("grid"))),
            preprocessing=Preprocessing(
                resize=side,
                crop=(side, side),
                interpolation="bilinear",
                mean=(0.5, 0.5, 0.5),
                std=(0.25, 0.25, 0.25),
            ),
        )
