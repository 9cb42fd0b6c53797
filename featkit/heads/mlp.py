"""The MLP head: a network with one hidden layer, its number of epochs chosen inside the budget."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from featkit.errors import UsageError
from featkit.heads._network import Batch, Recipe, threads
from featkit.heads._problem import HeldOutRows, Problem, Sample
from featkit.heads._scaling import Scaling
from featkit.heads._stopping import Stopping
from featkit.heads.base import Head, at_least

__all__ = ["MLPHead"]

_DEFAULT_EPOCHS = 20
"""Epochs where no inner split is possible."""


class MLPHead(Head):
    """Standardised features, one hidden layer with ReLU and dropout, AdamW, early stopping.

    The networks of all inner folds train in step, and the number of epochs is where their pooled
    validation loss is lowest. The head is then trained anew on all rows for so many epochs: one
    network, in place of an average over those of the inner folds.
    Large budgets validate on as few folds as hold `validation_rows` rows. Where several views are
    trained on, an epoch shows each image once, in a view drawn at random.

    Args:
        hidden: Width of the hidden layer.
        dropout: Share of hidden units dropped in training.
        learning_rate: Of AdamW, constant.
        weight_decay: Of AdamW.
        batch_size: Rows of one step.
        max_epochs: Most epochs.
        patience: Epochs without a better validation loss after which training stops.
        validation_rows: Rows to validate on in total, if the budget has so many.
        imbalance: "weights" gives all classes the same total weight, "none" gives all rows the
            same weight, "oversample" repeats rows up to the largest class (training part only).
        inner_splits: Inner folds; fewer where a class has fewer groups.
        random_state: Seed of inner folds, oversampling and the networks.
        n_jobs: Threads.

    Attributes:
        layers_: Weights and biases: (D, hidden), (1, hidden), (hidden, C), (1, C), float32.
        mean_: (D,) of the training features.
        scale_: (D,) standard deviation; 1 for constant columns.
    """

    def __init__(
        self,
        *,
        hidden: int = 256,
        dropout: float = 0.5,
        learning_rate: float = 3e-4,
        weight_decay: float = 1e-2,
        batch_size: int = 128,
        max_epochs: int = 200,
        patience: int = 20,
        validation_rows: int = 1000,
        imbalance: str = "weights",
        inner_splits: int = 5,
        random_state: int | np.random.RandomState | None = 0,
        n_jobs: int = 1,
    ) -> None:
        self.hidden = hidden
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_rows = validation_rows
        self.imbalance = imbalance
        self.inner_splits = inner_splits
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _fit(self, problem: Problem) -> None:
        scaling = Scaling.of(problem.trained())
        features = scaling.apply(problem.features)
        with threads(self.n_jobs):
            self.chosen_, self.held_out_ = self._choose_epochs(problem, features)
            network = self._batch(problem, features, [problem.sample()])
            for _ in range(self.chosen_["epochs"]):
                network.train_epoch()
        self.layers_ = network.layers(0)
        self.mean_, self.scale_ = scaling
        self.n_parameters_ = sum(layer.size for layer in self.layers_)

    def _choose_epochs(
        self, problem: Problem, features: NDArray[np.float32]
    ) -> tuple[dict[str, Any], HeldOutRows | None]:
        splits = problem.splits_validating(self.validation_rows)
        if not splits:
            return {"epochs": min(_DEFAULT_EPOCHS, self.max_epochs), "inner_folds": 0}, None
        networks = self._batch(problem, features, [problem.sample(split.train) for split in splits])
        held_out = [split.validation for split in splits]
        rows = np.concatenate(held_out)
        stopping = Stopping(patience=self.patience)
        while stopping.rounds < self.max_epochs and not stopping.is_over:
            networks.train_epoch()
            scores = problem.averaged(np.concatenate(networks.predict(held_out)))
            stopping.record(problem.loss(rows, scores))
            if stopping.best == stopping.rounds:
                chosen = scores
        record = {"epochs": stopping.best, "inner_folds": len(splits), "losses": stopping.losses}
        return record, HeldOutRows(rows, softmax(chosen.astype(np.float64), axis=1))

    def _batch(
        self, problem: Problem, features: NDArray[np.float32], samples: list[Sample]
    ) -> Batch:
        return Batch(
            features,
            problem.label,
            samples,
            n_classes=problem.n_classes,
            recipe=Recipe(
                hidden=self.hidden,
                dropout=self.dropout,
                learning_rate=self.learning_rate,
                weight_decay=self.weight_decay,
                batch_size=self.batch_size,
            ),
            seed=problem.seed,
            views=problem.views,
        )

    def _probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        into, bias, out, out_bias = (layer.astype(np.float64) for layer in self.layers_)
        scaled = (features - self.mean_.astype(np.float64)) / self.scale_
        hidden = np.maximum(scaled @ into + bias, 0.0)
        return np.asarray(softmax(hidden @ out + out_bias, axis=1))

    def check_options(self) -> None:
        """Refuse option values that cannot be meant."""
        super().check_options()
        for name in ("hidden", "batch_size", "max_epochs", "patience", "validation_rows"):
            at_least(self, name, 1)
        if not 0 <= self.dropout < 1:
            raise UsageError(
                f"dropout={self.dropout!r}",
                cause="it is the share of hidden units to drop",
                remedy="Give a number from 0 to below 1",
            )
