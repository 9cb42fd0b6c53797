"""A learner: one head's share of a batch of networks that train in step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from featkit.heads._problem import Sample
from featkit.heads.views import PLAIN, Views

__all__ = ["CPU", "Learner"]

CPU = torch.device("cpu")


class Learner:
    """K networks of one head: the rows that each trains on, and the random numbers of all.

    Args:
        features: Standardised features (n, V, D), shared by the networks.
        label: Encoded classes (n,).
        samples: The rows and weights that each of the K networks trains on.
        seed: Seed of initial weights, order of rows, views and dropout.
        views: How many of the V views are trained on and predicted.
        device: Where the features lie and the networks train; each draws random numbers of its own.

    Attributes:
        epochs: Epochs so far.
        layers: Once the learner is done, the weights (K, D, hidden), (K, hidden, C), each followed
            by its bias (K, 1, ...).
    """

    def __init__(
        self,
        features: NDArray[np.float32],
        label: NDArray[np.intp],
        samples: Sequence[Sample],
        *,
        seed: int,
        views: Views = PLAIN,
        device: torch.device = CPU,
    ) -> None:
        self.epochs = 0
        self.layers: list[NDArray[np.float32]] = []
        self.device = device
        self._features = torch.from_numpy(features).to(device)
        self._label = torch.from_numpy(label).to(device)
        self._rows = [torch.from_numpy(sample.rows).to(device) for sample in samples]
        self._weights = [torch.from_numpy(sample.weights).to(device) for sample in samples]
        self._views = views
        self._generator = torch.Generator(device).manual_seed(seed)
        self._waiting: list[Tensor] = []

    @property
    def networks(self) -> int:
        """K."""
        return len(self._rows)

    @property
    def columns(self) -> int:
        """D."""
        return self._features.shape[-1]

    def judged(self, rows: NDArray[np.intp]) -> Tensor:
        """Return the features to predict rows by, (rows × views, D)."""
        chosen = self._features[torch.from_numpy(rows).to(self.device)]
        return chosen[:, : self._views.test].flatten(0, 1)

    def uniform(self, *shape: int) -> Tensor:
        """Return random numbers from 0 to below 1."""
        return torch.rand(shape, generator=self._generator, device=self.device)

    def next_places(self, batch_size: int) -> Tensor:
        """Return where in their samples the K networks find the rows of the next step, (K, b).

        An epoch shows every network as many rows as the largest sample has, each about once.
        """
        if not self._waiting:
            largest = max(len(rows) for rows in self._rows)
            order = torch.stack([self._shuffled(len(rows), largest) for rows in self._rows])
            self._waiting = list(order.split(batch_size, dim=1))
        places, *self._waiting = self._waiting
        self.epochs += not self._waiting
        return places

    @property
    def ends_epoch(self) -> bool:
        """Whether the last step was an epoch's last."""
        return not self._waiting

    def shown(self, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return features (K, b, D), classes (K, b) and weights (K, b) at places of the samples.

        A row is shown in one of its views, drawn anew each time.
        """
        rows = torch.stack([own[at] for own, at in zip(self._rows, places, strict=True)])
        weights = torch.stack([own[at] for own, at in zip(self._weights, places, strict=True)])
        return self._features[rows, self._drawn_views(rows)], self._label[rows], weights

    def _drawn_views(self, rows: Tensor) -> Tensor:
        if self._views.train == 1:
            return torch.zeros_like(rows)
        return torch.randint(
            self._views.train, rows.shape, generator=self._generator, device=self.device
        )

    def _shuffled(self, count: int, length: int) -> Tensor:
        repeats = -(-length // count)
        orders = [
            torch.randperm(count, generator=self._generator, device=self.device)
            for _ in range(repeats)
        ]
        return torch.cat(orders)[:length]
