"""Networks with one hidden layer, several of them trained at once.

The networks of a `Batch` differ in their training rows (inner folds) and run through the same
matrix products, (K, rows, in) × (K, in, out). Random numbers come from a generator of their own:
the global one of torch stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from featkit.heads._problem import Sample
from featkit.heads.views import PLAIN, Views

__all__ = ["Batch", "Recipe", "threads"]


@dataclass(frozen=True)
class Recipe:
    """How networks are built and trained."""

    hidden: int
    dropout: float
    learning_rate: float
    weight_decay: float
    batch_size: int


class Batch:
    """K networks D → hidden → C with ReLU, dropout and AdamW.

    Args:
        features: Standardised features (n, V, D), shared by all networks.
        label: Encoded classes (n,).
        samples: The rows and weights that each of the K networks trains on.
        n_classes: Number of classes C.
        recipe: How they are built and trained.
        seed: Seed of initial weights, order of rows, views and dropout.
        views: How many of the V views are trained on and predicted.
    """

    def __init__(
        self,
        features: NDArray[np.float32],
        label: NDArray[np.intp],
        samples: Sequence[Sample],
        *,
        n_classes: int,
        recipe: Recipe,
        seed: int,
        views: Views = PLAIN,
    ) -> None:
        self._features = torch.from_numpy(features)
        self._label = torch.from_numpy(label)
        self._rows = [torch.from_numpy(sample.rows) for sample in samples]
        self._weights = [torch.from_numpy(sample.weights) for sample in samples]
        self._recipe = recipe
        self._views = views
        self._generator = torch.Generator().manual_seed(seed)
        self._layers = self._initial_layers(features.shape[-1], n_classes)
        self._optimiser = torch.optim.AdamW(
            self._layers, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )

    def train_epoch(self) -> None:
        """Show every network as many rows as the largest sample has, each row about once.

        A row is shown in one of its views, drawn anew each time.
        """
        largest = max(len(rows) for rows in self._rows)
        order = torch.stack([self._shuffled(len(rows), largest) for rows in self._rows])
        for places in order.split(self._recipe.batch_size, dim=1):
            self._step(places)

    def predict(self, rows: Sequence[NDArray[np.intp]]) -> list[NDArray[np.float32]]:
        """Return the scores (rows × views, C) that each network gives to its own rows."""
        scores = []
        with torch.no_grad():
            for number, chosen in enumerate(rows):
                layers = [layer[number : number + 1] for layer in self._layers]
                inputs = self._features[torch.from_numpy(chosen), : self._views.test]
                scores.append(_forward(layers, inputs.flatten(0, 1)[None])[0].numpy())
        return scores

    def layers(self, number: int) -> list[NDArray[np.float32]]:
        """Return one network: weights (D, hidden), (hidden, C), each followed by its bias."""
        return [layer[number].detach().numpy().copy() for layer in self._layers]

    def _initial_layers(self, columns: int, n_classes: int) -> list[Tensor]:
        networks, hidden = len(self._rows), self._recipe.hidden
        bound = columns**-0.5
        first = torch.empty(networks, columns, hidden).uniform_(
            -bound, bound, generator=self._generator
        )
        shapes = [(networks, 1, hidden), (networks, hidden, n_classes), (networks, 1, n_classes)]
        # An output layer of zeros starts all networks at equal odds, whatever the classes' order.
        layers = [first, *(torch.zeros(shape) for shape in shapes)]
        return [layer.requires_grad_() for layer in layers]

    def _shuffled(self, count: int, length: int) -> Tensor:
        repeats = -(-length // count)
        orders = [torch.randperm(count, generator=self._generator) for _ in range(repeats)]
        return torch.cat(orders)[:length]

    def _shown(self, rows: Tensor) -> Tensor:
        """Return the view in which each row is shown."""
        if self._views.train == 1:
            return torch.zeros_like(rows)
        return torch.randint(self._views.train, rows.shape, generator=self._generator)

    def _step(self, places: Tensor) -> None:
        rows = torch.stack([own[at] for own, at in zip(self._rows, places, strict=True)])
        weights = torch.stack([own[at] for own, at in zip(self._weights, places, strict=True)])
        scores = _forward(
            self._layers,
            self._features[rows, self._shown(rows)],
            dropout=self._recipe.dropout,
            generator=self._generator,
        )
        losses = functional.cross_entropy(
            scores.flatten(0, 1), self._label[rows].flatten(), reduction="none"
        )
        # A sum over networks: the gradient of each is that of its own mean loss.
        loss = (losses * weights.flatten()).sum() / places.shape[1]
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use so many threads inside the context."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _forward(
    layers: Sequence[Tensor],
    inputs: Tensor,
    *,
    dropout: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return scores (K, rows, C) of inputs (K, rows, D)."""
    into, bias, out, out_bias = layers
    hidden = torch.baddbmm(bias, inputs, into).relu()
    if dropout:
        keep = torch.empty_like(hidden).bernoulli_(1 - dropout, generator=generator)
        hidden = hidden * keep / (1 - dropout)
    return torch.baddbmm(out_bias, hidden, out)
