"""How many epochs to train: the pooled validation loss of one head's inner folds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from featkit.heads._learner import Learner
from featkit.heads._network import Batch
from featkit.heads._problem import HeldOutRows, Problem
from featkit.heads._stopping import Stopping

__all__ = ["EpochChoice"]

_DEFAULT_EPOCHS = 20
"""Epochs where no inner split is possible."""


class EpochChoice:
    """A record of how well the networks of the inner folds do, epoch by epoch.

    Args:
        problem: What the head learns from.
        max_epochs: Most epochs.
        patience: Epochs without a better validation loss after which training stops.
        validation_rows: Rows to validate on in total, if the problem has so many.

    Attributes:
        splits: The inner splits; none where none is possible.
    """

    def __init__(
        self, problem: Problem, *, max_epochs: int, patience: int, validation_rows: int
    ) -> None:
        self.splits = problem.splits_validating(validation_rows)
        self._problem = problem
        self._max_epochs = max_epochs
        self._stopping = Stopping(patience=patience)
        self._scores = np.empty((0, problem.n_classes), dtype=np.float32)

    @property
    def epochs(self) -> int:
        """The number of epochs with the lowest loss."""
        return self._stopping.best if self.splits else min(_DEFAULT_EPOCHS, self._max_epochs)

    @property
    def record(self) -> dict[str, Any]:
        """What was chosen, JSON-like, and by which losses."""
        record = {"epochs": self.epochs, "inner_folds": len(self.splits)}
        return {**record, "losses": self._stopping.losses} if self.splits else record

    @property
    def held_out(self) -> HeldOutRows | None:
        """What the inner folds' networks predicted after the chosen number of epochs."""
        if not self.splits:
            return None
        odds = softmax(self._scores.astype(np.float64), axis=1)
        return HeldOutRows(np.concatenate(self._validation), odds)

    def is_made(self, batch: Batch, learner: Learner) -> bool:
        """Judge the networks, one for each split, after one more epoch; tell if it was the last."""
        scores = self._problem.averaged(np.concatenate(batch.predict(learner, self._validation)))
        stopping = self._stopping
        stopping.record(self._problem.loss(np.concatenate(self._validation), scores))
        if stopping.best == stopping.rounds:
            self._scores = scores
        return stopping.is_over or stopping.rounds >= self._max_epochs

    @property
    def _validation(self) -> list[NDArray[np.intp]]:
        return [split.validation for split in self.splits]
