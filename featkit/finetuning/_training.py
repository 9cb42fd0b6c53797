"""One training: epochs until the inner validation has seen the best, resumable after any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor

from featkit.errors import TrainingError
from featkit.finetuning._checkpoint import Checkpoint, optimizer_tensors, restore_optimizer
from featkit.finetuning._clock import Clock
from featkit.finetuning._course import Course
from featkit.finetuning._epoch import DivergedError, Epochs
from featkit.finetuning._feed import Feed
from featkit.finetuning._folding import Pair, pairs
from featkit.finetuning._keeping import Keeper
from featkit.finetuning._network import Classifier, changing
from featkit.finetuning._optimisation import Loss, make_mixup, make_optimizer, make_schedule
from featkit.finetuning._probe import set_last_layer
from featkit.finetuning._state import State

__all__ = ["DivergedRunError", "Trained", "Trainer"]


class DivergedRunError(TrainingError):
    """A training that led to no numbers; other Runs need not."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What training leaves.

    Attributes:
        model: With the best weights, in evaluation mode.
        held_out: Probabilities of the held-out images, shape (m, C); None where there are none.
        chosen: What was chosen inside the budget.
        images_seen: Training images passed through the network: all epochs', and the probe's.
        wall_s: Seconds, interrupted attempts included.
        device_s: Device seconds, likewise.
    """

    model: Classifier
    held_out: NDArray[np.float32] | None
    chosen: dict[str, object]
    images_seen: int
    wall_s: float
    device_s: float


_USUAL_RATE = 1e-4
"""What is suggested where even a tenth of the learning rate is out of the question."""


class Trainer:
    """Trains a classifier on the material of one Run.

    Args:
        model: Not trained yet; trained in place.
        course: The recipe on the training set.
        feed: Brings images.
        keeper: Keeps what it is continued from, and knows whose training it is.
        seen: Told of trained-on images, those of interrupted attempts included.
    """

    def __init__(
        self,
        model: Classifier,
        course: Course,
        *,
        feed: Feed,
        keeper: Keeper,
        seen: Callable[[int], None],
    ) -> None:
        self._model = model
        self._course = course
        self._recipe, self._material = course.recipe, course.material
        self._feed = feed
        self._identity = keeper.identity
        self._keeper = keeper
        self._seen = seen
        self._state = State()
        self._best: dict[str, Tensor] = {}

    def train(self) -> Trained:
        """Train or continue, and return the best model.

        Raises:
            TrainingError: The loss is no number, or the checkpoint does not fit.
            StoreError: The checkpoint cannot be written.
        """
        clock, course = Clock(self._feed.team.device), self._course
        try:
            self._run_epochs(clock)
        finally:
            self._feed.team.release()
        self._seen(course.images(course.epochs - self._state.epoch))
        self._state.spend(*clock.lap())
        return self._trained()

    def _run_epochs(self, clock: Clock) -> None:
        epochs, course = self._prepared(), self._course
        while not self._state.ended(planned=course.epochs, patience=course.patience):
            try:
                loss = epochs.run(self._state.epoch, seen=self._seen)
                self._validate(loss, epochs.average)
            except DivergedError:
                raise self.diverged(f"in epoch {self._state.epoch + 1}") from None
            except KeyboardInterrupt:
                self._keeper.write()
                raise
            self._state.spend(*clock.lap())
            self._keeper.take(self._checkpoint(epochs))

    def _prepared(self) -> Epochs:
        """Return what the epochs need, in the state that the checkpoint has, if there is one."""
        recipe, model, team = self._recipe, self._model, self._feed.team
        model.to(team.device).to(memory_format=torch.channels_last)
        found = self._keeper.load()
        if found is None and model.strategy == "lp-ft":
            self._state.chosen = self._probe()
        optimizer = make_optimizer(model, recipe)
        weight = torch.from_numpy(self._material.class_weights(recipe.imbalance))
        average = ModelEmaV3(model, decay=recipe.ema, use_warmup=True) if recipe.ema else None
        if found is not None:
            self._restore(found, optimizer, average)
        scale = None if found is None else found.facts["scale"]
        prepared, wrapped = team.prepare(model, optimizer, scale=scale)
        return Epochs(
            model=model,
            prepared=prepared,
            optimizer=wrapped,
            schedule=make_schedule(optimizer, recipe, steps=self._course.steps),
            loss=Loss(weight.to(team.device), smoothing=recipe.label_smoothing),
            mixup=make_mixup(recipe, classes=self._material.classes),
            average=average,
            batch_norm=recipe.batch_norm,
            clip=recipe.clip,
            order=self._course.order,
            feed=self._feed,
            foldable=self._foldable(),
            seed=self._identity.seed,
        )

    def _foldable(self) -> list[Pair]:
        """Return what a CPU computes together; a GPU would wait for many small kernels more."""
        if self._feed.team.device.type != "cpu":
            return []
        self._model.eval()
        return pairs(self._model, self._feed.example())

    def _probe(self) -> dict[str, object]:
        material = self._material
        trained = ~material.held_out
        self._model.eval()
        features = self._feed.outputs(self._model.network, material.rows[trained])
        return set_last_layer(
            self._model,
            features,
            material.label[trained],
            material.group[trained],
            imbalance=self._recipe.imbalance,
            seed=self._identity.seed,
        )

    def _validate(self, loss: float, average: ModelEmaV3 | None) -> None:
        """Judge the epoch, and keep its weights where they are the best so far.

        Raises:
            DivergedError: A held-out image has no probabilities: the last step led too far.
        """
        judged = self._model if average is None else average.module
        judged.eval()
        self._feed.team.align(judged)
        probabilities = self._held_out(judged)
        if not np.isfinite(probabilities).all():
            raise DivergedError
        score = self._material.judge(
            probabilities, imbalance=self._recipe.imbalance, monitor=self._recipe.monitor
        )
        if self._state.judged(loss, score):
            names = changing(self._model)
            state = judged.state_dict()
            self._best = {name: state[name].detach().to("cpu", copy=True) for name in names}

    def _held_out(self, model: torch.nn.Module) -> NDArray[np.float32]:
        """Return probabilities of the held-out images, shape (m, C)."""
        rows = self._material.rows[self._material.held_out]
        if not len(rows):
            return np.empty((0, self._material.classes), dtype=np.float32)
        logits = self._feed.outputs(model, rows)
        return np.asarray(softmax(logits, axis=1), dtype=np.float32)

    def _checkpoint(self, epochs: Epochs) -> Checkpoint:
        names = changing(self._model)
        state = self._model.state_dict()
        parts: dict[str, Mapping[str, Tensor]] = {
            "network": {name: state[name] for name in names},
            "best": self._best,
        }
        if epochs.average is not None:
            averaged = epochs.average.module.state_dict()
            parts["average"] = {name: averaged[name] for name in names}
        tensors = {f"{part}/{name}": t for part, each in parts.items() for name, t in each.items()}
        facts = {**self._state.to_dict(), "scale": self._feed.team.scale}
        return Checkpoint({**tensors, **optimizer_tensors(epochs.optimizer)}, facts)

    def _restore(
        self, found: Checkpoint, optimizer: torch.optim.Optimizer, average: ModelEmaV3 | None
    ) -> None:
        self._state = State.from_dict(found.facts)
        self._model.load_state_dict(found.part("network"), strict=False)
        self._best = found.part("best")
        if average is not None:
            average.module.load_state_dict(found.part("average"), strict=False)
        restore_optimizer(optimizer, found.part("optimizer"))
        self._seen(self._course.images(self._state.epoch))

    def _trained(self) -> Trained:
        self._model.load_state_dict(self._best, strict=False)
        self._model.eval()
        held_out = self._held_out(self._model)
        probed = len(self._course.order.rows) if self._model.strategy == "lp-ft" else 0
        return Trained(
            model=self._model,
            held_out=held_out if len(held_out) else None,
            chosen=self._state.record(planned=self._course.epochs),
            images_seen=self._course.images(self._state.epoch) + probed,
            wall_s=self._state.wall_s,
            device_s=self._state.device_s,
        )

    def diverged(self, when: str) -> DivergedRunError:
        """Write the last good state, and return the error that says what to lower."""
        path, recipe = self._keeper.write(), self._recipe
        kept = f"the state after epoch {self._state.epoch} is kept in {path}"
        clipped = f"clipping {recipe.clip:g}" if recipe.clip else "no clipping"
        return DivergedRunError(
            f"{self._keeper.identity.name} diverged {when}",
            cause="its loss or its outputs are no numbers, most likely since the learning rate of "
            f"{recipe.lr:g} is too high (precision {self._feed.team.precision}, {clipped}); "
            + (kept if path else "no epoch ended well"),
            remedy=f"Lower it, for example lr={min(recipe.lr / 10, _USUAL_RATE):g}"
            + ("" if recipe.clip else ", or clip gradients with clip=1"),
        )
