"""Optimiser, schedule and loss of a recipe, by timm and PyTorch."""

from __future__ import annotations

import torch
from timm.data.mixup import Mixup
from timm.optim._optim_factory import create_optimizer_v2
from timm.scheduler.cosine_lr import CosineLRScheduler
from torch import Tensor
from torch.nn import functional

from featkit.finetuning._network import Classifier, parameter_groups
from featkit.finetuning.recipe import Recipe

__all__ = ["Loss", "make_mixup", "make_optimizer", "make_schedule"]

_NAMES = {"adamw": "adamw", "adam": "adam", "sgd": "momentum"}
"""timm's names; its `sgd` has Nesterov's momentum."""

_FLOOR = 0.01
"""The cosine's end, relative to the learning rate."""


def make_optimizer(model: Classifier, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimiser of the trained parameters."""
    groups = parameter_groups(
        model, weight_decay=recipe.weight_decay, layer_decay=recipe.layer_decay
    )
    optimizer: torch.optim.Optimizer = create_optimizer_v2(
        groups,
        opt=_NAMES[recipe.optimizer],
        lr=recipe.lr,
        momentum=recipe.momentum,
        fused=recipe.optimizer != "sgd" or None,
    )
    return optimizer


def make_schedule(
    optimizer: torch.optim.Optimizer, recipe: Recipe, *, steps: int
) -> CosineLRScheduler:
    """Return the learning rates of `steps` optimiser steps; call `step_update` before each."""
    floor = recipe.lr * (_FLOOR if recipe.schedule == "cosine" else 1.0)
    warmup = round(recipe.warmup * steps)
    return CosineLRScheduler(
        optimizer,
        t_initial=max(2, steps - warmup),  # of a cosine of one step, timm warns
        lr_min=floor,
        warmup_t=warmup,
        warmup_lr_init=recipe.lr / max(1, warmup),
        warmup_prefix=True,
        t_in_epochs=False,
    )


def make_mixup(recipe: Recipe, *, classes: int) -> Mixup | None:
    """Return timm's mixup, or None where the recipe has none."""
    if not recipe.mixup:
        return None
    # Label smoothing is the loss's business, so that it is there without mixup as well.
    return Mixup(mixup_alpha=recipe.mixup, label_smoothing=0.0, num_classes=classes)


class Loss:
    """Weighted cross-entropy, averaged over a batch.

    The sum is divided by the number of images, not by their weights: a batch of rare classes
    counts more, and shards of a batch add up to the batch.

    Args:
        weight: Of each class, shape (C,), of mean 1 over the training images.
        smoothing: Label smoothing.
    """

    def __init__(self, weight: Tensor, *, smoothing: float) -> None:
        self._weight = weight
        self._smoothing = smoothing

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits (B, C) and classes (B,) or class probabilities (B, C)."""
        total = functional.cross_entropy(
            logits.float(),
            target,
            weight=self._weight,
            label_smoothing=self._smoothing,
            reduction="sum",
        )
        return total / len(logits)
