"""How long what is left of a study will take: from its own Runs, or from a short trial.

Rules where there are no Runs yet: an image that is trained on costs three forward passes (a
backward pass costs about two, Kaplan et al. 2020, arXiv:2001.08361, section 2.1); every epoch of a
recipe is run; a head's fit takes time in proportion to its training images and their features.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
import torch

from featkit.backbones import load_backbone
from featkit.data import ImageError
from featkit.experiment import Cell
from featkit.hardware.devices import available_cores, default_batch, resolve_device
from featkit.heads import make_head
from featkit.runs import Run, RunStore
from featkit.studies._steps import ExtractStep, FinetuneStep, FitStep, Step, TrainStep
from featkit.studies._workshop import Workshop

__all__ = ["Estimate", "Estimator"]

_TRAINED_IMAGE = 3.0
"""Forward passes that an image costs that is trained on."""

_TRIAL_IMAGES = 8
"""Images of the trial on a CPU; a GPU takes a full batch."""

_TRIAL_ROWS = 300
"""Training rows of a head's trial."""

_TRIAL_FEATURES = 128
"""Features of a head's trial."""


@dataclass(frozen=True)
class Estimate:
    """Seconds that a step will take, and from what they were estimated."""

    seconds: float
    basis: str


class Estimator:
    """Estimates the steps of a study; every trial is made once.

    Args:
        workshop: Of the study.
        steps: All its training steps.
    """

    def __init__(self, workshop: Workshop, steps: Iterable[Step]) -> None:
        self._workshop = workshop
        self._training = [step for step in steps if isinstance(step, TrainStep)]
        self._forward_s: dict[str, tuple[float, int]] = {}
        self._fit_s: dict[str, float] = {}

    def of(self, step: Step) -> Estimate | None:
        """Return what a step will take; None where that is next to nothing.

        Raises:
            FeatkitError: A backbone or the data set cannot be had.
        """
        if step.done() == step.total:
            return None
        if isinstance(step, ExtractStep):
            return self._extraction(step)
        if isinstance(step, FitStep):
            return self._fitting(step)
        if isinstance(step, FinetuneStep):
            return self._finetuning(step)
        return None

    def _extraction(self, step: ExtractStep) -> Estimate:
        views = self._workshop.study.extract.views
        forward, _ = self._image(step.backbone)
        return Estimate(forward * views * len(self._workshop.dataset), "a trial of the network")

    def _fitting(self, step: FitStep) -> Estimate:
        known = self._of_runs(step, frozen=True)
        basis, seconds = "finished Runs", 0.0
        for method, cell in step.missing():
            images = self._images(step, cell)
            rate = known.get(method)
            if rate is None:
                basis, rate = "a trial of the heads", self._head_rate(method, step.backbone)
            seconds += rate * images
        jobs = self._workshop.jobs or available_cores()
        return Estimate(seconds / jobs, basis)

    def _finetuning(self, step: FinetuneStep) -> Estimate:
        known = self._of_runs(step, frozen=False)
        basis, seconds = "finished Runs", 0.0
        for method, cell in step.missing():
            rate = known.get(method)
            if rate is None:
                basis = "a trial of the network"
                rate = _TRAINED_IMAGE * self._image(step.backbone)[0]
            seconds += rate * self._seen(step, method, cell)
        return Estimate(seconds, basis)

    def _of_runs(self, step: TrainStep, *, frozen: bool) -> dict[str, float]:
        """Return seconds per image by method, from finished Runs on the same backbone.

        Frozen Runs count their training images, others every image seen.
        """
        spent: dict[str, list[float]] = {}
        for run in self._finished.get(step.backbone, []):
            if run.frozen == frozen:
                images = run.train_images if frozen else run.cost.images_seen
                total = spent.setdefault(run.key.method, [0.0, 0.0])
                total[0] += run.cost.wall_s
                total[1] += images
        return {method: seconds / images for method, (seconds, images) in spent.items() if images}

    @cached_property
    def _finished(self) -> dict[str, list[Run]]:
        found: dict[str, list[Run]] = {}
        for step in self._training:
            found.setdefault(step.backbone, []).extend(RunStore(step.folder))
        return found

    def _images(self, step: TrainStep, cell: Cell) -> float:
        """Return about how many images a training set has."""
        folds = self._workshop.design(step.arm).folds
        return len(self._workshop.dataset) * (1 - 1 / folds) * cell.budget / 100

    def _seen(self, step: FinetuneStep, method: str, cell: Cell) -> float:
        """Return how many images a fine-tuning sees at most."""
        from featkit.finetuning.recipe import recipe_for

        recipe = recipe_for(method.removeprefix("finetune-"), step.section.recipe)
        images = max(1.0, self._images(step, cell))
        epochs = max(recipe.epochs, ceil(recipe.min_steps / ceil(images / recipe.batch_size)))
        return images * epochs

    def _image(self, backbone: str) -> tuple[float, int]:
        """Return seconds for an image, decoding included, and the number of its features."""
        if backbone not in self._forward_s:
            self._forward_s[backbone] = self._trial(backbone)
        return self._forward_s[backbone]

    def _trial(self, name: str) -> tuple[float, int]:
        section = self._workshop.study.backbones[name]
        device = resolve_device(self._workshop.device)
        # Random weights take as long as real ones, and nothing is downloaded for an estimate.
        backbone = load_backbone(
            section.spec,
            pooling=section.pooling,
            image_size=section.image_size,
            random_weights=True,
        )
        dataset = self._workshop.dataset
        began, read = time.perf_counter(), []
        for row in range(min(_TRIAL_IMAGES, len(dataset))):
            try:
                read.append(backbone.preprocessing(dataset.images.read(row)))
            except ImageError:
                continue
        decoding = (time.perf_counter() - began) / max(1, len(read)) / available_cores()
        count = _TRIAL_IMAGES if device.type == "cpu" else default_batch(device)
        height, width = backbone.preprocessing.crop
        pixels = torch.zeros((count, 3, height, width), dtype=torch.uint8, device=device)
        backbone.network.to(device)
        with torch.inference_mode():
            backbone.features(pixels[:1]).cpu()  # the first pass sets up what later ones reuse
            began = time.perf_counter()
            backbone.features(pixels).cpu()
        forward = (time.perf_counter() - began) / count
        return max(decoding, forward), backbone.dimension

    def _head_rate(self, method: str, backbone: str) -> float:
        """Return seconds for a training row of a head, by a fit on random features."""
        head, _, variants = method.partition("+")
        if head not in self._fit_s:
            generator = np.random.default_rng(0)
            classes = max(2, len(self._workshop.dataset.classes))
            label = np.arange(_TRIAL_ROWS) % classes
            features = generator.normal(size=(_TRIAL_ROWS, _TRIAL_FEATURES))
            began = time.perf_counter()
            make_head(head).fit((features + label[:, None] / classes).astype(np.float32), label)
            self._fit_s[head] = (time.perf_counter() - began) / features.size
        views = self._workshop.study.extract.views if "views" in variants else 1
        return self._fit_s[head] * self._image(backbone)[1] * views
