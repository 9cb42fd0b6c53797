"""Course: how many epochs of which batches a recipe makes of a training set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from featkit.finetuning._material import Material
from featkit.finetuning._samples import Order
from featkit.finetuning.recipe import Recipe

__all__ = ["Course"]


@dataclass(frozen=True, eq=False)
class Course:
    """A recipe on one training set.

    Attributes:
        recipe: How to train.
        material: What may be seen.
        seed: Of the epochs' orders.
    """

    recipe: Recipe
    material: Material
    seed: int

    @cached_property
    def order(self) -> Order:
        """The batches of every epoch."""
        trained = ~self.material.held_out
        return Order(
            rows=self.material.rows[trained],
            label=self.material.label[trained],
            oversample=self.recipe.imbalance == "oversample",
            batch_size=self.recipe.batch_size,
            seed=self.seed,
        )

    @property
    def epochs(self) -> int:
        """Number of epochs, if training does not end early."""
        return max(self.recipe.epochs, math.ceil(self.recipe.min_steps / self.order.steps))

    @property
    def patience(self) -> int:
        """Epochs without a better validation that are borne, stretched as the epochs are."""
        return math.ceil(self.recipe.patience * self.epochs / self.recipe.epochs)

    @property
    def steps(self) -> int:
        """Number of optimiser steps in all epochs."""
        return self.epochs * self.order.steps

    def images(self, epochs: int) -> int:
        """Return the number of images that so many epochs see."""
        return epochs * self.order.steps * self.order.batch_size
