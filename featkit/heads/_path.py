"""L2-regularised multinomial logistic regression along a path of strengths.

`fit_paths` is the seam behind which a solver lies: several problems that share features and labels
and differ in sample weights alone (inner folds, refit), one strength after another.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

__all__ = ["fit_paths", "logits"]

Coefficients = NDArray[np.float32]
"""(C, D + 1), the intercept last; for two classes (1, D + 1), the logit of the second."""


def fit_paths(
    features: NDArray[np.float32],
    label: NDArray[np.intp],
    weights: NDArray[np.float32],
    strengths: Sequence[float],
    *,
    start: NDArray[np.float32] | None = None,
    tolerance: float = 1e-4,
    max_iterations: int = 1000,
) -> Iterator[NDArray[np.float32]]:
    """Solve several weighted problems at one strength after another, each from the last optimum.

    The objective is scikit-learn's: strength × Σ weight × log loss + ½ ‖coefficients‖²,
    with a free intercept.

    Args:
        features: (n, D).
        label: (n,) encoded classes; every class occurs.
        weights: (K, n) one row for each problem; rows of weight zero take no part.
        strengths: Inverse regularisation (scikit-learn's C), best from small to large.
        start: (K, C, D + 1) where to start from; zeros by default.
        tolerance: Largest component of the mean loss's gradient in a solved problem.
        max_iterations: Most iterations for each problem and strength.

    Yields:
        For each strength, coefficients (K, C, D + 1), lazily, so that a caller may stop early.
    """
    models = [_model(tolerance, max_iterations) for _ in weights]
    if start is not None:
        for model, coefficients in zip(models, start, strict=True):
            model.coef_, model.intercept_ = coefficients[:, :-1], coefficients[:, -1]
    for strength in strengths:
        for model, row in zip(models, weights, strict=True):
            model.C = strength
            with warnings.catch_warnings():
                # A path's weakest strengths are rarely chosen and need no last digit.
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(features, label, sample_weight=row)
        yield np.stack([np.column_stack([m.coef_, m.intercept_]) for m in models])


def logits(
    features: NDArray[np.floating], coefficients: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return scores (n, C) whose softmax are the probabilities.

    Args:
        features: (n, D).
        coefficients: (C, D + 1), or (1, D + 1) for two classes.
    """
    scores = features @ coefficients[:, :-1].T + coefficients[:, -1]
    return np.column_stack([np.zeros_like(scores), scores]) if len(coefficients) == 1 else scores


def _model(tolerance: float, max_iterations: int) -> LogisticRegression:
    return LogisticRegression(tol=tolerance, max_iter=max_iterations, warm_start=True)
