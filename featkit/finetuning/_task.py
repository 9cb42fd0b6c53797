"""One Run: a strategy trained at one cell, tested once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from featkit.errors import TrainingError
from featkit.finetuning._clock import Clock
from featkit.finetuning._course import Course
from featkit.finetuning._feed import Feed
from featkit.finetuning._keeping import Identity, Keeper
from featkit.finetuning._material import split_material
from featkit.finetuning._network import Classifier
from featkit.finetuning._training import Trained, Trainer
from featkit.finetuning.recipe import Recipe
from featkit.hardware.devices import device_name, peak_memory
from featkit.plans import Plan
from featkit.provenance import software_versions
from featkit.runs import Cost, HeldOut, Run, RunKey, TestSet

__all__ = ["Task"]

_PACKAGES = ("torch", "torchvision", "timm", "accelerate", "numpy", "pillow")


@dataclass(frozen=True, eq=False)
class Task:
    """A Run to be made.

    Attributes:
        key: What it is a Run of.
        strategy: What is trained.
        recipe: How.
        plan: Says what may be seen.
        rows: The Plan's rows as rows of the pixels, shape (len(plan),).
        test: The images that are tested.
        test_rows: Their rows in the pixels of `test_feed`, shape (n,).
        seed: Decides everything random.
        decoding_s: What decoding an image took, in seconds of all cores.
        inputs: What images go through (see `Run`).
        experienced: Whether the backbone was fine-tuned on some of the images before: predictions
            of held-out ones then say nothing, and are not kept.
    """

    key: RunKey
    strategy: str
    recipe: Recipe
    plan: Plan
    rows: NDArray[np.intp]
    test: TestSet
    test_rows: NDArray[np.intp]
    seed: int
    decoding_s: float
    inputs: Mapping[str, object]
    experienced: bool = False

    @property
    def name(self) -> str:
        """The Run for people."""
        key = self.key
        return f"{key.method} at {key.budget:g}% (fold {key.fold}, draw {key.draw})"

    @cached_property
    def course(self) -> Course:
        """The recipe on what may be seen."""
        plan, rows = self.plan, self.seen
        material = split_material(
            self.rows[rows],
            plan.label[rows],
            plan.group[rows],
            classes=len(plan.classes),
            seed=self.seed,
        )
        return Course(self.recipe, material, self.seed)

    @property
    def seen(self) -> NDArray[np.intp]:
        """The Plan's rows that the budget holds, those that epochs are chosen on included."""
        return self.plan.train_rows(self.key.fold, self.key.budget, self.key.draw)

    def keeper(self, folder: Path, *, writes: bool) -> Keeper:
        """Return what keeps its checkpoint in a folder."""
        key = self.key
        identity = Identity(self.name, key.digest, self.plan.fingerprint, self.seed)
        path = folder / Path(key.file_name).with_suffix(".safetensors")
        return Keeper(path, identity, writes=writes)

    def trainer(self, feed: Feed, keeper: Keeper, *, seen: Callable[[int], None]) -> Trainer:
        """Return what trains it, from the backbone's weights as they came."""
        fresh = copy.deepcopy(feed.backbone)
        model = Classifier(fresh, len(self.plan.classes), self.strategy)
        return Trainer(model, self.course, feed=feed, keeper=keeper, seen=seen)

    def run(self, trainer: Trainer, test_feed: Feed) -> tuple[Run, Classifier]:
        """Train, test once, and return the Run with its model.

        Raises:
            TrainingError: The loss or an output is no number, the checkpoint does not fit, or the
                GPU's memory does not suffice.
            StoreError: The checkpoint cannot be written.
        """
        try:
            return self._made(trainer, test_feed)
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                f"{self.name} does not fit into the memory of {test_feed.team.device}",
                cause=f"it ran out with {self.recipe.batch_size} images a step",
                remedy="Give a smaller --batch-size or --image-size; finished Runs are kept",
            ) from error

    def _made(self, trainer: Trainer, test_feed: Feed) -> tuple[Run, Classifier]:
        device = test_feed.team.device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        trained = trainer.train()
        clock = Clock(device)
        logits = test_feed.outputs(trained.model, self.test_rows)
        if not np.isfinite(logits).all():
            raise trainer.diverged("on the test images")
        probabilities = softmax(logits.astype(np.float64), axis=1).astype(np.float32)
        return self._run(trained, probabilities, clock.lap(), device), trained.model

    def _run(
        self,
        trained: Trained,
        probabilities: NDArray[np.float32],
        testing: tuple[float, float],
        device: torch.device,
    ) -> Run:
        plan, rows = self.plan, self.seen
        material = self.course.material
        held_out = None
        if trained.held_out is not None and not self.experienced:
            held_out = HeldOut(material.label[material.held_out], trained.held_out)
        return Run(
            key=self.key,
            classes=plan.classes,
            test=self.test,
            probabilities=probabilities,
            train_lesions=len(np.unique(plan.group[rows])),
            train_images=len(rows),
            cost=Cost(
                wall_s=trained.wall_s + testing[0],
                device_s=trained.device_s + testing[1],
                images_seen=trained.images_seen,
                parameters_trained=trained.model.trained(),
                peak_memory_mb=peak_memory(device) / 2**20,
                features_s=len(rows) * self.decoding_s,
                device=device_name(device),
                threads=torch.get_num_threads(),
            ),
            chosen=trained.chosen,
            split=plan.split,
            frozen=False,
            held_out=held_out,
            versions=software_versions(_PACKAGES),
            inputs=self.inputs,
        )
