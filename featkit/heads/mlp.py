"""The MLP head: a network with one hidden layer, its number of epochs chosen inside the budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from featkit.errors import UsageError
from featkit.hardware.devices import resolve_device
from featkit.heads._epochs import EpochChoice
from featkit.heads._learner import Learner
from featkit.heads._network import Batch, Recipe, threads
from featkit.heads._problem import Problem, Sample
from featkit.heads._scaling import Scaling
from featkit.heads.base import Head, at_least

__all__ = ["MLPHead"]


class MLPHead(Head):
    """Standardised features, one hidden layer with ReLU and dropout, AdamW, early stopping.

    The networks of all inner folds train in step, and the number of epochs is where their pooled
    validation loss is lowest. The head is then trained anew on all rows for so many epochs: one
    network, in place of an average over those of the inner folds.
    Large budgets validate on as few folds as hold `validation_rows` rows. Where several views are
    trained on, an epoch shows each image once, in a view drawn at random.
    Heads that are fitted together train in step, each as it would alone but for rounding.

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
        device: Where to train: "cpu", "cuda", "cuda:N", "mps" or "auto".

    Attributes:
        hidden_coef_: Weights of the hidden layer, (D, hidden), float32.
        hidden_intercept_: Its biases, (hidden,).
        coef_: Weights of the output layer, (hidden, C).
        intercept_: Its biases, (C,).
        mean_: (D,) of the training features.
        scale_: (D,) standard deviation; 1 for constant columns.
    """

    recipe = 2
    shares = "steps"

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
        device: str = "cpu",
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
        self.device = device

    def _fit(self, problem: Problem) -> None:
        self._fit_together([self], [problem])

    @classmethod
    def _fit_together(cls, heads: Sequence[Self], problems: Sequence[Problem]) -> None:
        """Train the networks of all heads in step: those of inner folds, then one for each head."""
        # Networks share matrix products where they have the same shape.
        alike: dict[tuple[int, int], list[_Course]] = {}
        for head, problem in zip(heads, problems, strict=True):
            shape = problem.features.shape[-1], problem.n_classes
            alike.setdefault(shape, []).append(_Course(head, problem))
        with threads(heads[0].n_jobs):
            for courses in alike.values():
                _choose_epochs(courses)
                _train_on_all_rows(courses)

    def _probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        scaled = (features - self.mean_.astype(np.float64)) / self.scale_
        hidden = np.maximum(scaled @ self.hidden_coef_ + self.hidden_intercept_, 0.0)
        return np.asarray(softmax(hidden @ self.coef_ + self.intercept_, axis=1))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        columns, hidden, classes = self.n_features_in_, self.hidden, len(self.classes_)
        return {
            "hidden_coef_": (columns, hidden),
            "hidden_intercept_": (hidden,),
            "coef_": (hidden, classes),
            "intercept_": (classes,),
            "mean_": (columns,),
            "scale_": (columns,),
        }

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


class _Course:
    """One head on its way from inner folds to the network that it keeps."""

    def __init__(self, head: MLPHead, problem: Problem) -> None:
        self.head = head
        self.choice = EpochChoice(
            problem,
            max_epochs=head.max_epochs,
            patience=head.patience,
            validation_rows=head.validation_rows,
        )
        self._problem = problem
        self._device = resolve_device(head.device)
        self._scaling = Scaling.of(problem.trained())
        self._features = self._scaling.apply(problem.features)

    def learner_of_folds(self) -> Learner:
        """Return a network for the training part of each inner split."""
        return self._learner([self._problem.sample(split.train) for split in self.choice.splits])

    def learner_of_all_rows(self) -> Learner:
        """Return the network that the head will keep."""
        return self._learner([self._problem.sample()])

    def batch(self, learners: Sequence[Learner]) -> Batch:
        """Return networks like this head's."""
        head = self.head
        recipe = Recipe(
            hidden=head.hidden,
            dropout=head.dropout,
            learning_rate=head.learning_rate,
            weight_decay=head.weight_decay,
            batch_size=head.batch_size,
        )
        return Batch(learners, n_classes=self._problem.n_classes, recipe=recipe)

    def end(self, learner: Learner) -> None:
        """Give the head what was chosen and learned."""
        head = self.head
        head.chosen_, head.held_out_ = self.choice.record, self.choice.held_out
        into, bias, out, out_bias = (layer[0] for layer in learner.layers)
        head.hidden_coef_, head.hidden_intercept_ = into, bias[0]
        head.coef_, head.intercept_ = out, out_bias[0]
        head.mean_, head.scale_ = self._scaling
        head.n_parameters_ = sum(layer[0].size for layer in learner.layers)

    def _learner(self, samples: Sequence[Sample]) -> Learner:
        problem = self._problem
        return Learner(
            self._features,
            problem.label,
            samples,
            seed=problem.seed,
            views=problem.views,
            device=self._device,
        )


def _choose_epochs(courses: Sequence[_Course]) -> None:
    learners = {course.learner_of_folds(): course for course in courses if course.choice.splits}
    if learners:
        batch = courses[0].batch(list(learners))
        batch.train(lambda learner: learners[learner].choice.is_made(batch, learner))


def _train_on_all_rows(courses: Sequence[_Course]) -> None:
    learners = {course.learner_of_all_rows(): course for course in courses}
    courses[0].batch(list(learners)).train(
        lambda learner: learner.epochs == learners[learner].choice.epochs
    )
    for learner, course in learners.items():
        course.end(learner)
