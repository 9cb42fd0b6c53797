"""Networks with one hidden layer, those of several heads trained in step.

A `Learner` is one head's share of a `Batch`: networks that differ in their training rows (inner
folds). The networks of all learners run through the same matrix products, (K, rows, in) ×
(K, in, out). Each learner has random numbers, steps and epochs of its own, and leaves when it is
done, so what it becomes depends on who learns beside it by rounding alone. The global random state
of torch stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from featkit.heads._learner import Learner

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
    """The networks of some learners: D → hidden → C with ReLU, dropout and AdamW.

    Args:
        learners: On one device, each with features of the same dimension D.
        n_classes: Number of classes C.
        recipe: How the networks are built and trained.
    """

    def __init__(self, learners: Sequence[Learner], *, n_classes: int, recipe: Recipe) -> None:
        self._learners = list(learners)
        self._recipe = recipe
        self._use(self._initial_layers(n_classes))

    def train(self, is_done: Callable[[Learner], bool]) -> None:
        """Train until every learner is done, of which each is asked after each of its epochs."""
        while self._learners:
            self._step()
            for learner in [learner for learner in self._learners if learner.ends_epoch]:
                if is_done(learner):
                    self._dismiss(learner)

    def predict(
        self, learner: Learner, rows: Sequence[NDArray[np.intp]]
    ) -> list[NDArray[np.float32]]:
        """Return the scores (rows × views, C) that each of a learner's networks gives its rows."""
        own = [layer.detach()[self._places(learner)] for layer in self._layers]
        scores = [
            _forward([layer[number, None] for layer in own], learner.judged(chosen)[None])
            for number, chosen in enumerate(rows)
        ]
        return [of_network[0].cpu().numpy() for of_network in scores]

    def _places(self, learner: Learner) -> slice:
        """Return where a learner's networks stand among those of all."""
        number = self._learners.index(learner)
        start = sum(before.networks for before in self._learners[:number])
        return slice(start, start + learner.networks)

    def _initial_layers(self, n_classes: int) -> list[Tensor]:
        hidden, columns = self._recipe.hidden, self._learners[0].columns
        first = [
            (2 * learner.uniform(learner.networks, columns, hidden) - 1) * columns**-0.5
            for learner in self._learners
        ]
        # An output layer of zeros starts all networks at equal odds, whatever the classes' order.
        rest = [(1, hidden), (hidden, n_classes), (1, n_classes)]
        into = torch.cat(first)
        return [into, *(into.new_zeros(len(into), *shape) for shape in rest)]

    def _use(self, layers: Sequence[Tensor]) -> None:
        self._layers = [layer.requires_grad_() for layer in layers]
        self._optimiser = torch.optim.AdamW(
            self._layers,
            lr=self._recipe.learning_rate,
            weight_decay=self._recipe.weight_decay,
            fused=True,
        )

    def _dismiss(self, learner: Learner) -> None:
        """Hand a learner its networks, and go on without them."""
        places = self._places(learner)
        learner.layers = [layer.detach()[places].cpu().numpy().copy() for layer in self._layers]
        count = len(self._layers[0])
        stay = [*range(places.start), *range(places.stop, count)]
        before, states = self._layers, self._optimiser.state
        self._learners.remove(learner)
        self._use([layer.detach()[stay] for layer in before])
        for layer, old in zip(self._layers, before, strict=True):
            moments = {name: states[old][name][stay] for name in ("exp_avg", "exp_avg_sq")}
            self._optimiser.state[layer] = {"step": states[old]["step"], **moments}

    def _step(self) -> None:
        """Train each network on the next rows of its own; shorter steps are filled with nothing."""
        places = [learner.next_places(self._recipe.batch_size) for learner in self._learners]
        parts = [
            self._shown(learner, at) for learner, at in zip(self._learners, places, strict=True)
        ]
        features, label, weights, kept = (_joined(column) for column in zip(*parts, strict=True))
        scores = _forward(self._layers, features, kept)
        losses = functional.cross_entropy(
            scores.flatten(0, 1), label.flatten(), reduction="none"
        ).view_as(weights)
        self._optimiser.zero_grad()
        # A sum over networks: the gradient of each is that of its own mean loss.
        (losses * weights).sum().backward()
        self._optimiser.step()

    def _shown(self, learner: Learner, places: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return features, classes, weights in the mean loss, and the factors of dropout."""
        features, label, weights = learner.shown(places)
        share, hidden = self._recipe.dropout, self._recipe.hidden
        kept = weights.new_ones(*places.shape, 1)
        if share:
            kept = (learner.uniform(*places.shape, hidden) >= share) / (1 - share)
        return features, label, weights / places.shape[1], kept


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use so many threads inside the context."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """Return parts (K, b, ...) of different lengths b one after the other, filled with zeros."""
    if len(parts) == 1:
        return parts[0]
    length = max(part.shape[1] for part in parts)
    networks = sum(len(part) for part in parts)
    joined = parts[0].new_zeros(networks, length, *parts[0].shape[2:])
    start = 0
    for part in parts:
        joined[start : start + len(part), : part.shape[1]] = part
        start += len(part)
    return joined


def _forward(layers: Sequence[Tensor], inputs: Tensor, kept: Tensor | None = None) -> Tensor:
    """Return scores (K, rows, C) of inputs (K, rows, D), hidden units times `kept`."""
    into, bias, out, out_bias = layers
    hidden = torch.baddbmm(bias, inputs, into).relu()
    if kept is not None:
        hidden = hidden * kept
    return torch.baddbmm(out_bias, hidden, out)
