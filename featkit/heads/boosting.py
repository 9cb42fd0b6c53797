"""The LightGBM head: boosted trees on dense features, their number chosen inside the budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from featkit.heads._binned import BinnedProblem
from featkit.heads._problem import HeldOutRows, Problem, Split
from featkit.heads._stopping import Stopping
from featkit.heads._trees import checked_trees
from featkit.heads.base import Head, at_least, check_arrays

__all__ = ["LightGBMHead"]

_DEFAULT_ROUNDS = 30
"""Rounds where no inner split is possible."""


class LightGBMHead(Head):
    """Boosted trees with early stopping on grouped inner splits, then trained on all rows.

    All inner folds grow in step, and the number of rounds is where their pooled validation loss is
    lowest. Large budgets validate on as few folds as hold `validation_rows` rows.

    Dense features are redundant and noisy for single splits. So each tree sees a random tenth of
    them, thresholds are drawn at random (extremely randomised trees), and leaves are few and
    shrunk hard. Inner folds and refit share one set of bins, laid out once on all rows of `fit`.

    Args:
        learning_rate: Shrinkage of every tree.
        num_leaves: Most leaves of a tree.
        feature_fraction: Share of the features that a tree sees.
        min_child_samples: Fewest rows of a leaf.
        reg_lambda: L2 penalty on the leaves.
        max_rounds: Most boosting rounds, each with a tree for every class.
        patience: Rounds without a better validation loss after which training stops.
        validation_rows: Rows to validate on in total, if the budget has so many.
        imbalance: "weights" gives all classes the same total weight, "none" gives all rows the
            same weight, "oversample" repeats rows up to the largest class (training part only).
        inner_splits: Inner folds; fewer where a class has fewer groups.
        random_state: Seed of inner folds, oversampling and trees.
        n_jobs: Threads.

    Attributes:
        model_: The trained trees in LightGBM's own text format.
    """

    recipe = 2

    def __init__(
        self,
        *,
        learning_rate: float = 0.2,
        num_leaves: int = 4,
        feature_fraction: float = 0.1,
        min_child_samples: int = 5,
        reg_lambda: float = 50.0,
        max_rounds: int = 500,
        patience: int = 30,
        validation_rows: int = 1000,
        imbalance: str = "weights",
        inner_splits: int = 5,
        random_state: int | np.random.RandomState | None = 0,
        n_jobs: int = 1,
    ) -> None:
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.feature_fraction = feature_fraction
        self.min_child_samples = min_child_samples
        self.reg_lambda = reg_lambda
        self.max_rounds = max_rounds
        self.patience = patience
        self.validation_rows = validation_rows
        self.imbalance = imbalance
        self.inner_splits = inner_splits
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _fit(self, problem: Problem) -> None:
        binned = BinnedProblem(problem, self._parameters(problem))
        self.chosen_, self.held_out_ = self._choose_rounds(problem, binned)
        booster = self._booster(problem, binned.training(problem.sample()))
        for _ in range(self.chosen_["rounds"]):
            booster.update()
        self.model_ = booster.model_to_string()
        self.n_parameters_ = _count_parameters(self.model_)

    def _choose_rounds(
        self, problem: Problem, binned: BinnedProblem
    ) -> tuple[dict[str, Any], HeldOutRows | None]:
        splits = problem.splits_validating(self.validation_rows)
        if not splits:
            return {"rounds": min(_DEFAULT_ROUNDS, self.max_rounds), "inner_folds": 0}, None
        boosters = [
            self._booster(problem, binned.training(problem.sample(split.train))).add_valid(
                binned.validation(split.validation), "validation"
            )
            for split in splits
        ]
        sizes = [len(split.validation) for split in splits]
        judges = [_judge(problem, split) for split in splits]
        stopping = Stopping(patience=self.patience)
        while stopping.rounds < self.max_rounds and not stopping.is_over:
            for booster in boosters:
                booster.update()
            losses = [
                booster.eval_valid(judge)[-1][2]
                for booster, judge in zip(boosters, judges, strict=True)
            ]
            stopping.record(float(np.average(losses, weights=sizes)))
        record = {"rounds": stopping.best, "inner_folds": len(splits), "losses": stopping.losses}
        predictions = [
            _averaged(
                booster.predict(
                    problem.judged(split.validation),
                    num_iteration=stopping.best,
                    num_threads=self.n_jobs,
                ),
                problem.views.test,
            )
            for booster, split in zip(boosters, splits, strict=True)
        ]
        rows = np.concatenate([split.validation for split in splits])
        return record, HeldOutRows(rows, np.concatenate(predictions))

    def _booster(self, problem: Problem, dataset: lgb.Dataset) -> lgb.Booster:
        return lgb.Booster(self._parameters(problem), dataset)

    def _parameters(self, problem: Problem) -> dict[str, Any]:
        return {
            "objective": "multiclass",
            "metric": "multi_logloss",
            "num_class": problem.n_classes,
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "feature_fraction": self.feature_fraction,
            "lambda_l2": self.reg_lambda,
            "extra_trees": True,
            "max_bin": 63,
            "min_data_in_leaf": self.min_child_samples * problem.views.train,
            # LightGBM's own minima would forbid every split of a budget of two lesions a class.
            "min_data_in_bin": 1,
            "feature_pre_filter": False,
            # A tree that sees one feature of a bundle would pay for all of them.
            "enable_bundle": False,
            "force_col_wise": True,
            "deterministic": True,
            "seed": problem.seed,
            "num_threads": self.n_jobs,
            "verbosity": -1,
        }

    def kept(self) -> tuple[dict[str, NDArray[Any]], str]:
        """Return no arrays, and the trees as text."""
        return {}, self.model_

    def restore(self, arrays: Mapping[str, NDArray[Any]], text: str) -> None:
        """Take trees as text, checked before LightGBM reads them.

        Raises:
            ValueError: They are no trees of this number of features and classes.
        """
        check_arrays(arrays, {})
        self.model_ = checked_trees(text, features=self.n_features_in_, classes=len(self.classes_))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {}

    def _probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        booster = lgb.Booster(model_str=self.model_)
        return np.asarray(booster.predict(features, num_threads=self.n_jobs), dtype=np.float64)

    def check_options(self) -> None:
        """Refuse option values that cannot be meant."""
        super().check_options()
        at_least(self, "num_leaves", 2)
        at_least(self, "max_rounds", 1)
        at_least(self, "patience", 1)
        at_least(self, "validation_rows", 1)


def _averaged(probabilities: Any, views: int) -> NDArray[np.float64]:
    """Return the mean (rows, C) of probabilities (rows × views, C) over views."""
    by_view = probabilities.reshape(-1, views, probabilities.shape[1])
    return np.asarray(by_view.mean(axis=1))


def _judge(problem: Problem, split: Split) -> Callable[..., tuple[str, float, bool]] | None:
    """Return the loss of the mean over views, or None where LightGBM's own will do."""
    views = problem.views.test
    if views == 1:
        return None

    def loss(probabilities: NDArray[Any], _: lgb.Dataset) -> tuple[str, float, bool]:
        odds = np.log(np.maximum(_averaged(probabilities, views), np.finfo(np.float64).tiny))
        return "averaged", problem.loss(split.validation, odds), False

    return loss


def _count_parameters(model: str) -> int:
    """Count thresholds and leaf values in a model's text."""
    leaves = [
        int(line.split("=")[1]) for line in model.splitlines() if line.startswith("num_leaves=")
    ]
    return sum(2 * count - 1 for count in leaves)
