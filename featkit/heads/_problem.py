"""What a head is given to learn from, and the inner splits on which it makes its choices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from featkit.errors import PlanError
from featkit.heads.views import PLAIN, Views
from featkit.plans import inner_folds

__all__ = [
    "IMBALANCES",
    "HeldOutRows",
    "Imbalance",
    "Problem",
    "Sample",
    "Split",
    "balanced_weights",
    "flat",
]

Imbalance = Literal["weights", "none", "oversample"]
"""What is done about rare classes: weigh them up, nothing, or repeat their rows."""

IMBALANCES: tuple[str, ...] = get_args(Imbalance)

Rows = NDArray[np.intp]


class Split(NamedTuple):
    """One inner split. No group has rows on both sides."""

    train: Rows
    validation: Rows


class Sample(NamedTuple):
    """Rows to train on, with repetitions, and the weight of each."""

    rows: Rows
    weights: NDArray[np.float32]


class HeldOutRows(NamedTuple):
    """Predictions on inner validation rows, each by a model that was not trained on its group."""

    rows: Rows
    """(m,) rows of what was given to `fit`, each at most once."""
    probabilities: NDArray[np.float64]
    """(m, C) by the chosen setting, columns in the order of `classes_`."""


def flat(features: NDArray[Any]) -> NDArray[Any]:
    """Return features (n, V, D) as rows (n × V, D)."""
    return features.reshape(-1, features.shape[-1])


def balanced_weights(label: NDArray[np.intp], *, n_classes: int) -> NDArray[np.float32]:
    """Return weights (n,) of mean 1 that give every class present the same total."""
    counts = np.bincount(label, minlength=n_classes)
    per_class = len(label) / (np.maximum(counts, 1) * np.count_nonzero(counts))
    return per_class[label].astype(np.float32)


@dataclass(frozen=True)
class Problem:
    """Features with encoded labels and groups: all that a head may see. A row is an image."""

    features: NDArray[np.float32]
    """(n, V, D): V views of each image, the plain one first."""
    label: Rows
    """(n,) in 0..n_classes-1, each class present."""
    group: NDArray[np.str_]
    """(n,): rows of one group stay on one side of every split."""
    n_classes: int
    imbalance: Imbalance
    inner_splits: int
    """The most inner folds to make; fewer where a class has fewer groups."""
    seed: int
    views: Views = PLAIN
    """How many of the V views are trained on, and how many are judged by."""

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """Grouped stratified inner splits; none where every class has but one group."""
        try:
            fold = inner_folds(self.label, self.group, n_splits=self.inner_splits, seed=self.seed)
        except PlanError:
            return ()
        return tuple(
            Split(np.flatnonzero(fold != number), np.flatnonzero(fold == number))
            for number in range(fold.max() + 1)
        )

    def splits_validating(self, rows: int) -> tuple[Split, ...]:
        """Return as few splits as it takes to validate on so many rows in total."""
        if not self.splits:
            return ()
        return self.splits[: ceil(rows * len(self.splits) / len(self.label))]

    def trained(self, rows: Rows | None = None) -> NDArray[np.float32]:
        """Return the features to train on of some rows (all by default), (rows × views, D)."""
        chosen = self.features if rows is None else self.features[rows]
        return flat(chosen[:, : self.views.train])

    def judged(self, rows: Rows) -> NDArray[np.float32]:
        """Return the features by which rows are predicted, (rows × views, D)."""
        return flat(self.features[rows, : self.views.test])

    def averaged(self, scores: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return scores (rows, C) whose softmax is the mean over the views to judge by.

        Args:
            scores: (rows × views, C), by their softmax.
        """
        if self.views.test == 1:
            return scores
        log_odds = log_softmax(scores.astype(np.float64), axis=1)
        by_view = log_odds.reshape(-1, self.views.test, scores.shape[1])
        return np.asarray(logsumexp(by_view, axis=1) - np.log(self.views.test))

    def sample(self, rows: Rows | None = None) -> Sample:
        """Return what to train on, out of some rows (all by default), by the imbalance option."""
        rows = np.arange(len(self.label)) if rows is None else rows
        if self.imbalance == "oversample":
            rows = self._oversample(rows)
        if self.imbalance == "weights":
            return Sample(rows, self._balance(rows))
        return Sample(rows, np.ones(len(rows), dtype=np.float32))

    def judge(self, rows: Rows) -> NDArray[np.float32]:
        """Return the weights (rows,) with which validation rows count.

        They ask for what training is asked for: every class alike, unless imbalance is "none".
        """
        if self.imbalance == "none":
            return np.ones(len(rows), dtype=np.float32)
        return self._balance(rows)

    def loss(self, rows: Rows, scores: NDArray[np.floating]) -> float:
        """Return the mean log loss of scores (rows, C) on validation rows."""
        log_odds = log_softmax(scores.astype(np.float64), axis=1)
        chosen = log_odds[np.arange(len(rows)), self.label[rows]]
        return float(-np.average(chosen, weights=self.judge(rows)))

    def _balance(self, rows: Rows) -> NDArray[np.float32]:
        return balanced_weights(self.label[rows], n_classes=self.n_classes)

    def _oversample(self, rows: Rows) -> Rows:
        rng = np.random.default_rng(self.seed)
        label = self.label[rows]
        counts = np.bincount(label, minlength=self.n_classes)
        extra = [
            rng.choice(rows[label == number], size=counts.max() - counts[number])
            for number in np.flatnonzero(counts)
        ]
        return np.concatenate([rows, *extra])
