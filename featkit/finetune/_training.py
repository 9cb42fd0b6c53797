"""One training: epochs until the inner validation has seen the best, resumable after any."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor

from featkit.errors import TrainingError
from featkit.finetune._checkpoint import Checkpoint, optimizer_tensors, restore_optimizer
from featkit.finetune._clock import Clock
from featkit.finetune._course import Course
from featkit.finetune._epoch import DivergedError, Epochs
from featkit.finetune._feed import Feed
from featkit.finetune._network import Classifier, changing
from featkit.finetune._optimisation import Loss, make_mixup, make_optimizer, make_schedule
from featkit.finetune._probe import set_last_layer
from featkit.finetune._state import State

__all__ = ["Identity", "Trained", "Trainer"]

_SAVE_EVERY_S = 20.0
"""What a crash may cost."""


@dataclass(frozen=True)
class Identity:
    """Which Run a training is for.

    Attributes:
        name: For messages.
        run: Digest of its key.
        plan: Fingerprint of its Plan.
        seed: Decides everything random.
    """

    name: str
    run: str
    plan: str
    seed: int


@dataclass(frozen=True, eq=False)
class Trained:
    """What training leaves.

    Attributes:
        model: With the best weights, in evaluation mode.
        held_out: Probabilities of the held-out images, shape (m, C); None where there are none.
        chosen: What was chosen inside the budget.
        images_seen: Training images passed through the network, epochs added up.
        wall_s: Seconds, interrupted attempts included.
        device_s: Device seconds, likewise.
    """

    model: Classifier
    held_out: NDArray[np.float32] | None
    chosen: dict[str, object]
    images_seen: int
    wall_s: float
    device_s: float


class Trainer:
    """Trains a classifier on the material of one Run.

    Args:
        model: Not trained yet; trained in place.
        course: The recipe on the training set.
        feed: Brings images.
        identity: Whose training it is.
        checkpoint: The file that it is continued from.
        seen: Told of trained-on images, those of interrupted attempts included.
    """

    def __init__(
        self,
        model: Classifier,
        course: Course,
        *,
        feed: Feed,
        identity: Identity,
        checkpoint: Path,
        seen: Callable[[int], None],
    ) -> None:
        self._model = model
        self._course = course
        self._recipe, self._material = course.recipe, course.material
        self._feed = feed
        self._identity = identity
        self._path = checkpoint
        self._seen = seen
        self._state = State()
        self._best: dict[str, Tensor] = {}

    def train(self) -> Trained:
        """Train or continue, and return the best model.

        Raises:
            TrainingError: The loss is no number, or the checkpoint does not fit.
        """
        clock, course = Clock(self._feed.team.device), self._course
        epochs = self._prepared()
        last: Checkpoint | None = None
        saved = time.perf_counter()
        while not self._state.ended(planned=course.epochs, patience=course.patience):
            try:
                loss = epochs.run(self._state.epoch, seen=self._seen)
            except DivergedError:
                raise self._diverged(last) from None
            self._validate(loss, epochs.average)
            self._state.spend(*clock.lap())
            last = self._checkpoint(epochs)
            if time.perf_counter() - saved > _SAVE_EVERY_S:
                self._save(last)
                saved = time.perf_counter()
        self._seen(course.images(course.epochs - self._state.epoch))
        self._state.spend(*clock.lap())
        return self._trained()

    def forget(self) -> None:
        """Remove the checkpoint of a training whose Run is written."""
        if self._feed.team.leads:
            self._path.unlink(missing_ok=True)

    def _prepared(self) -> Epochs:
        """Return what the epochs need, in the state that the checkpoint has, if there is one."""
        recipe, model, team = self._recipe, self._model, self._feed.team
        model.to(team.device).to(memory_format=torch.channels_last)
        identity = self._identity
        found = Checkpoint.load(self._path, run=identity.run, plan=identity.plan)
        if found is None and model.strategy == "lp-ft":
            self._state.chosen = self._probe()
        optimizer = make_optimizer(model, recipe)
        weight = torch.from_numpy(self._material.class_weights(recipe.imbalance))
        average = ModelEmaV3(model, decay=recipe.ema, use_warmup=True) if recipe.ema else None
        if found is not None:
            self._restore(found, optimizer, average)
        prepared, wrapped = team.prepare(model, optimizer)
        return Epochs(
            model=model,
            prepared=prepared,
            optimizer=wrapped,
            schedule=make_schedule(optimizer, recipe, steps=self._course.steps),
            loss=Loss(weight.to(team.device), smoothing=recipe.label_smoothing),
            mixup=make_mixup(recipe, classes=self._material.classes),
            average=average,
            clip=recipe.clip,
            order=self._course.order,
            loader=self._feed.loader(self._course.order),
            feed=self._feed,
            seed=identity.seed,
        )

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
        """Judge the epoch, and keep its weights where they are the best so far."""
        judged = self._model if average is None else average.module
        judged.eval()
        score = self._material.judge(
            self._held_out(judged), imbalance=self._recipe.imbalance, monitor=self._recipe.monitor
        )
        if self._state.judged(loss, score):
            names = changing(self._model)
            state = judged.state_dict()
            self._best = {name: state[name].detach().cpu().clone() for name in names}

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
        return Checkpoint({**tensors, **optimizer_tensors(epochs.optimizer)}, self._state.to_dict())

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

    def _save(self, checkpoint: Checkpoint) -> None:
        if self._feed.team.leads:
            checkpoint.save(self._path, run=self._identity.run, plan=self._identity.plan)

    def _trained(self) -> Trained:
        self._model.load_state_dict(self._best, strict=False)
        self._model.eval()
        held_out = self._held_out(self._model)
        return Trained(
            model=self._model,
            held_out=held_out if len(held_out) else None,
            chosen=self._state.record(planned=self._course.epochs),
            images_seen=self._course.images(self._state.epoch),
            wall_s=self._state.wall_s,
            device_s=self._state.device_s,
        )

    def _diverged(self, last: Checkpoint | None) -> TrainingError:
        """Keep the last good state, and return the error that says what to lower."""
        kept = "no epoch ended well"
        if last is not None:
            self._save(last)
            kept = f"the state after epoch {self._state.epoch} is kept in {self._path}"
        recipe = self._recipe
        return TrainingError(
            f"the loss of {self._identity.name} is no number in epoch {self._state.epoch + 1}",
            cause=f"most likely the learning rate of {recipe.lr:g} is too high "
            f"(precision {self._feed.team.precision}, clipping {recipe.clip:g}); {kept}",
            remedy=f"Lower it, for example lr={recipe.lr / 10:g}"
            + ("" if recipe.clip else ", or clip gradients with clip=1"),
        )
