"""What all heads share: checks, encoding of labels, and the way from probabilities to classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from featkit.errors import UsageError
from featkit.heads._problem import IMBALANCES, Problem

__all__ = ["Head"]

_BLOCK_ROWS = 4096
"""Rows predicted at a time: bounds the memory of float64 copies."""


class Head(ClassifierMixin, BaseEstimator, ABC):
    """A classifier on frozen features that makes its own choices inside `fit`.

    Subclasses take the options `imbalance`, `inner_splits`, `random_state` and `n_jobs`, and
    implement `_fit` and `_probabilities`.

    Attributes:
        classes_: (C,) class labels, sorted.
        n_features_in_: Feature dimension D.
        chosen_: JSON-like record of what was chosen inside `fit`, and by which scores.
        n_parameters_: Numbers that training set.
    """

    recipe = 1
    """Raise it in a head whose code would train another model with the same options."""

    imbalance: str
    inner_splits: int
    random_state: int | np.random.RandomState | None
    n_jobs: int
    classes_: NDArray[Any]
    n_features_in_: int
    chosen_: dict[str, Any]
    n_parameters_: int

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Train on features, choosing on grouped inner splits of the same rows.

        Args:
            X: Features (n, D); they are used as float32.
            y: Class labels (n,) of any kind, at least two classes.
            groups: What must stay together (n,), such as lesions; by default every row is a
                group of its own.

        Raises:
            UsageError: An option has a value that it cannot have.
            ValueError: Features, labels or groups that cannot be learned from.
        """
        self.check_options()
        features, labels = validate_data(self, X, y, dtype=np.float32, order="C")
        check_classification_targets(labels)
        self.classes_, label = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least two classes, but the labels hold one class: "
                f"{str(self.classes_[0])!r}"
            )
        problem = Problem(
            features=features,
            label=label,
            group=_group_names(groups, label),
            n_classes=len(self.classes_),
            imbalance=self.imbalance,  # type: ignore[arg-type]
            inner_splits=self.inner_splits,
            seed=int(check_random_state(self.random_state).randint(2**31)),
        )
        with threadpool_limits(self.n_jobs):
            self._fit(problem)
        return self

    def identity(self) -> dict[str, Any]:
        """Return, JSON-like, what decides the trained model besides data and random numbers."""
        options = self.get_params()
        for name in ("n_jobs", "random_state"):
            del options[name]
        return {**options, "recipe": self.recipe}

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities (n, C), columns in the order of `classes_`.

        Args:
            X: Features (n, D).
        """
        check_is_fitted(self, "chosen_")
        features = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        with threadpool_limits(self.n_jobs):
            blocks = [
                self._probabilities(features[i : i + _BLOCK_ROWS])
                for i in range(0, len(features), _BLOCK_ROWS)
            ]
        return np.concatenate(blocks)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of every row, (n,).

        Args:
            X: Features (n, D).
        """
        probabilities = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels

    @abstractmethod
    def _fit(self, problem: Problem) -> None:
        """Train, and set `chosen_`, `n_parameters_` and the fitted state."""

    @abstractmethod
    def _probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return probabilities (n, C) of checked features (n, D)."""

    def check_options(self) -> None:
        """Refuse option values that cannot be meant; subclasses add their own."""
        if self.imbalance not in IMBALANCES:
            raise UsageError(
                f"imbalance={self.imbalance!r}",
                cause="there is no such way to treat rare classes",
                remedy=f"Choose one of {', '.join(IMBALANCES)}",
            )
        at_least(self, "inner_splits", 2)
        at_least(self, "n_jobs", 1)


def at_least(head: Head, name: str, least: float) -> None:
    """Raise UsageError where an option lies below the least value that makes sense."""
    value = getattr(head, name)
    if not value >= least:
        raise UsageError(
            f"{name}={value!r}",
            cause=f"{type(head).__name__} needs at least {least}",
            remedy=f"Give {name} a value of {least} or more",
        )


def _group_names(groups: ArrayLike | None, label: NDArray[np.intp]) -> NDArray[np.str_]:
    if groups is None:
        return np.arange(len(label)).astype(np.str_)
    check_consistent_length(label, groups)
    return np.asarray(column_or_1d(groups)).astype(np.str_)
