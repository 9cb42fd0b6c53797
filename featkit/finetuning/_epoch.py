"""One epoch: every step of the optimiser, with augmentation, mixup and averaging."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from timm.data.mixup import Mixup
from timm.scheduler.cosine_lr import CosineLRScheduler
from timm.utils.model_ema import ModelEmaV3

from featkit.finetuning._feed import Feed
from featkit.finetuning._folding import Pair, folded
from featkit.finetuning._network import Classifier, train_mode
from featkit.finetuning._optimisation import Loss
from featkit.finetuning._samples import Order
from featkit.fingerprints import stable_seed

__all__ = ["DivergedError", "Epochs"]

_LOOK_EVERY = 25
"""Steps between looks at the loss, each of which makes a GPU wait."""


class DivergedError(Exception):
    """The loss is no longer a number."""


@dataclass(frozen=True, eq=False)
class Epochs:
    """What every epoch needs.

    Attributes:
        model: The network itself.
        prepared: The network as accelerate wants it called.
        optimizer: As accelerate wants it called.
        schedule: Sets the learning rate of each step.
        loss: Of logits and targets.
        mixup: Or None.
        average: Exponential moving average of the weights, or None.
        batch_norm: `trained` or `frozen`.
        clip: Largest norm of the gradient; 0 = any.
        order: The samples of each epoch.
        feed: Brings them to the device.
        foldable: What is computed together where its statistics are frozen.
        seed: Of dropout and mixup.
    """

    model: Classifier
    prepared: Any
    optimizer: Any
    schedule: CosineLRScheduler
    loss: Loss
    mixup: Mixup | None
    average: ModelEmaV3 | None
    batch_norm: str
    clip: float
    order: Order
    feed: Feed
    foldable: Sequence[Pair]
    seed: int

    def run(self, number: int, *, seen: Callable[[int], None]) -> float:
        """Take all steps of an epoch and return its mean loss.

        Args:
            number: Of the epoch, from 0.
            seen: Told of the images of every step.

        Raises:
            DivergedError: The loss is not finite.
        """
        team, order = self.feed.team, self.order
        labels = [batch.share(team.rank, team.size).label for batch in order.epoch(number)]
        targets = torch.from_numpy(np.stack(labels)).to(team.device)
        total = torch.zeros((), device=team.device)
        train_mode(self.model, batch_norm=self.batch_norm)
        seed = stable_seed("training", self.seed, number, team.rank)
        with _seeded(seed, team.device), folded(self.model, self.foldable):
            for step, inputs in enumerate(self.feed.epoch(order, number)):
                done = number * order.steps + step
                self.schedule.step_update(done)
                total += self._step(inputs, targets[step])
                if self.average is not None:
                    self.average.update(self.model, step=done + 1)
                if (step + 1) % _LOOK_EVERY == 0:
                    self._mean(total, step + 1)
                seen(order.batch_size)
        return self._mean(total, order.steps)

    def _mean(self, total: torch.Tensor, steps: int) -> float:
        """Return the mean loss of so many steps, which must be a number in every process."""
        mean = self.feed.team.mean(total) / steps
        if not math.isfinite(mean):
            raise DivergedError
        return mean

    def _step(self, inputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        accelerator = self.feed.team.accelerator
        even = len(inputs) - len(inputs) % 2  # images are mixed in pairs
        if self.mixup is not None and even:
            inputs, target = self.mixup(inputs[:even], target[:even])
        with accelerator.autocast():
            logits = self.prepared(inputs)
        loss = self.loss(logits, target)
        accelerator.backward(loss)
        if self.clip:
            accelerator.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed the generators of dropout (PyTorch) and mixup (NumPy) for an epoch."""
    numpy = np.random.get_state()
    np.random.seed(seed)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        try:
            yield
        finally:
            np.random.set_state(numpy)
