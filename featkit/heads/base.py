"""What all heads share: checks, encoding of labels, and the way from probabilities to classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from featkit.errors import UsageError
from featkit.heads._problem import IMBALANCES, HeldOutRows, Problem, flat
from featkit.heads.views import PLAIN, Views

__all__ = ["Head"]

_BLOCK_ROWS = 4096
"""Rows predicted at a time: bounds the memory of float64 copies."""


class Head(ClassifierMixin, BaseEstimator, ABC):
    """A classifier on frozen features that makes its own choices inside `fit`.

    Subclasses take the options `imbalance`, `inner_splits`, `random_state` and `n_jobs`, all
    options with defaults, and implement `_fit`, `_probabilities` and `_shapes`. A distribution adds
    one as an entry point of the group `featkit.heads` that has the head's name and leads to the
    class.

    Attributes:
        classes_: (C,) class labels, sorted.
        n_features_in_: Feature dimension D.
        chosen_: JSON-like record of what was chosen inside `fit`, and by which scores.
        n_parameters_: Numbers that training set.
        held_out_: What the inner folds' models of the chosen setting predicted for the rows held
            out from them; None where no inner split was possible or needed.
    """

    recipe = 1
    """Raise it in a head whose code would train another model with the same options."""

    shares: Literal["nothing", "rows", "steps"] = "nothing"
    """What heads have in common that are fitted together: products with the same rows, or the steps
    of training on whatever rows."""

    imbalance: str
    inner_splits: int
    random_state: int | np.random.RandomState | None
    n_jobs: int
    classes_: NDArray[Any]
    n_features_in_: int
    chosen_: dict[str, Any]
    n_parameters_: int
    held_out_: HeldOutRows | None

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        views: Views = PLAIN,
    ) -> Self:
        """Train on features, choosing on grouped inner splits of the same rows.

        Args:
            X: Features (n, D), or (n, V, D) of V views of each image, the plain one first; they
                are used as float32.
            y: Class labels (n,) of any kind, at least two classes.
            groups: What must stay together (n,), such as lesions; by default every row is a
                group of its own.
            views: Which of the V views are trained on, and over which the predictions that
                choices are made by are averaged. By default the plain image alone.

        Raises:
            UsageError: An option has a value that it cannot have.
            ValueError: Features, labels or groups that cannot be learned from.
        """
        problem = self._encoded(X, y, groups, views)
        with threadpool_limits(self.n_jobs):
            self._fit_together([self], [problem])
        return self

    def identity(self) -> dict[str, Any]:
        """Return, JSON-like, what decides the trained model besides data and random numbers."""
        options = self.get_params()
        for name in ("n_jobs", "random_state", "device"):
            options.pop(name, None)
        return {**options, "recipe": self.recipe, **_maker(type(self))}

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities (n, C), columns in the order of `classes_`.

        Args:
            X: Features (n, D), or (n, V, D): then the mean over the V views of each image.
        """
        check_is_fitted(self, "chosen_")
        rows, count = _by_view(X)
        features = validate_data(self, rows, dtype=[np.float32, np.float64], reset=False)
        with threadpool_limits(self.n_jobs):
            blocks = [
                self._probabilities(features[i : i + _BLOCK_ROWS])
                for i in range(0, len(features), _BLOCK_ROWS)
            ]
        by_view = np.concatenate(blocks).reshape(-1, count, len(self.classes_))
        return by_view[:, 0] if count == 1 else by_view.mean(axis=1)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of every row, (n,).

        Args:
            X: Features (n, D) or (n, V, D).
        """
        probabilities = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels

    @classmethod
    def _fit_together(cls, heads: Sequence[Self], problems: Sequence[Problem]) -> None:
        """Train each head on its problem; a head that gains by doing so in one go overrides this.

        Args:
            heads: Heads with the same options but for `random_state`.
            problems: What each learns from; features may be one array in several of them.
        """
        for head, problem in zip(heads, problems, strict=True):
            head._fit(problem)

    def kept(self) -> tuple[dict[str, NDArray[Any]], str]:
        """Return what prediction needs of a trained head: arrays by name, and text."""
        return {name: np.asarray(getattr(self, name)) for name in self._shapes()}, ""

    def restore(self, arrays: Mapping[str, NDArray[Any]], text: str) -> None:
        """Take what `kept` returned; `classes_` and `n_features_in_` are there already.

        Raises:
            ValueError: Something is missing, too much, of another shape, or no finite number.
        """
        if text:
            raise ValueError("it has text, which this kind of head has not")
        check_arrays(arrays, self._shapes())
        if "scale_" in arrays and not (arrays["scale_"] > 0).all():
            raise ValueError("scale_ has numbers that are not above 0")
        for name, array in arrays.items():
            setattr(self, name, array)

    @abstractmethod
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the arrays that prediction needs, attributes by name, and their shapes."""

    @abstractmethod
    def _fit(self, problem: Problem) -> None:
        """Train, and set `chosen_`, `n_parameters_`, `held_out_` and the fitted state."""

    @abstractmethod
    def _probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return probabilities (n, C) of checked features (n, D)."""

    def _encoded(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None, views: Views
    ) -> Problem:
        """Check what was given to `fit`, set `classes_` and `n_features_in_`, and encode it."""
        self.check_options()
        rows, count = _by_view(X)
        repeated = y if count == 1 else np.repeat(y, count)
        features, labels = validate_data(self, rows, repeated, dtype=np.float32, order="C")
        labels = labels[::count]
        _check_views(views, count)
        check_classification_targets(labels)
        self.classes_, label = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least two classes, but the labels hold one class: "
                f"{str(self.classes_[0])!r}"
            )
        return Problem(
            features=features.reshape(len(labels), count, -1)[:, : views.needed],
            label=label,
            group=_group_names(groups, label),
            n_classes=len(self.classes_),
            imbalance=self.imbalance,  # type: ignore[arg-type]
            inner_splits=self.inner_splits,
            seed=int(check_random_state(self.random_state).randint(2**31)),
            views=views,
        )

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


def _maker(kind: type[Head]) -> dict[str, str]:
    """Return who a head is that others may also have given its name: nothing of featkit's own."""
    own = kind.__module__.partition(".")[0] == __name__.partition(".")[0]
    return {} if own else {"class": f"{kind.__module__}:{kind.__qualname__}"}


def at_least(head: Head, name: str, least: float) -> None:
    """Raise UsageError where an option lies below the least value that makes sense."""
    value = getattr(head, name)
    if not value >= least:
        raise UsageError(
            f"{name}={value!r}",
            cause=f"{type(head).__name__} needs at least {least}",
            remedy=f"Give {name} a value of {least} or more",
        )


def check_arrays(arrays: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError where arrays are not finite floats of these names and shapes."""
    if set(arrays) != set(shapes):
        raise ValueError(f"it has the arrays {sorted(arrays)}, not {sorted(shapes)}")
    for name, array in arrays.items():
        if array.shape != shapes[name]:
            raise ValueError(f"{name} has the shape {array.shape}, not {shapes[name]}")
        if array.dtype not in (np.float32, np.float64) or not np.isfinite(array).all():
            raise ValueError(f"{name} does not hold finite floats")


def _by_view(features: ArrayLike) -> tuple[ArrayLike, int]:
    """Return features (n, V, D) as rows (n × V, D), and V; features of another shape with 1."""
    if getattr(features, "ndim", 2) != 3:
        return features, 1
    array = np.asarray(features)
    return flat(array), array.shape[1]


def _check_views(views: Views, count: int) -> None:
    if not 1 <= min(views.train, views.test) <= views.needed <= count:
        raise UsageError(
            f"views of {views.train} to train on and {views.test} to average over",
            cause=f"X holds {count} of each image",
            remedy=f"Choose from 1 to {count}",
        )


def _group_names(groups: ArrayLike | None, label: NDArray[np.intp]) -> NDArray[np.str_]:
    if groups is None:
        return np.arange(len(label)).astype(np.str_)
    check_consistent_length(label, groups)
    return np.asarray(column_or_1d(groups)).astype(np.str_)
