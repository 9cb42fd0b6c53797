"""Material: the images of one training set, those trained on and those validated on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.evaluate import METRICS
from featkit.plans import validation_rows

__all__ = ["Material", "split_material"]

_SHARE = 0.2
"""Share of each class's lesions that is validated on."""


@dataclass(frozen=True, eq=False)
class Material:
    """What a method may see at one budget.

    Attributes:
        rows: Rows of the pixels, shape (n,).
        label: Their classes, shape (n,).
        group: Their lesions, shape (n,).
        held_out: Which of them are validated on instead of trained on, shape (n,).
        classes: Number of classes.
    """

    rows: NDArray[np.intp]
    label: NDArray[np.int16]
    group: NDArray[np.str_]
    held_out: NDArray[np.bool_]
    classes: int

    def class_weights(self, imbalance: str) -> NDArray[np.float32]:
        """Return a weight for each class, shape (C,), of mean 1 over the trained-on images."""
        counts = np.bincount(self.label[~self.held_out], minlength=self.classes)
        if imbalance != "weights":
            return np.ones(self.classes, dtype=np.float32)
        present = np.count_nonzero(counts)
        weights: NDArray[np.float64] = counts.sum() / (np.maximum(counts, 1) * present)
        return weights.astype(np.float32)

    def judge(
        self, probabilities: NDArray[np.float32], *, imbalance: str, monitor: str
    ) -> tuple[float, ...]:
        """Return how good probabilities of the held-out images (m, C) are; more is better.

        The second number decides where the first is equal. Nothing is returned where no image is
        held out. The log loss weighs classes as training does.
        """
        label = self.label[self.held_out]
        if not len(label):
            return ()
        chosen = np.maximum(probabilities[np.arange(len(label)), label], np.finfo(np.float32).tiny)
        weight = np.ones(len(label))
        if imbalance != "none":
            weight = 1 / np.bincount(label)[label]
        loss = -float(np.average(np.log(chosen), weights=weight))
        recall = float(METRICS["balanced_accuracy"](label, probabilities)[0])
        return (recall, -loss) if monitor == "balanced_accuracy" else (-loss, recall)


def split_material(
    rows: NDArray[np.intp],
    label: NDArray[np.int16],
    group: NDArray[np.str_],
    *,
    classes: int,
    seed: int,
) -> Material:
    """Return the material with a fifth of each class's lesions held out."""
    held_out = validation_rows(label, group, share=_SHARE, seed=seed)
    return Material(rows, label, group, held_out, classes)
