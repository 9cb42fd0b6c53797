"""Power laws of learning: how error falls with the number of labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from featkit.errors import DataError
from featkit.evaluate._inputs import Float
from featkit.evaluate._power_fit import fit_rows, power_law, reach

__all__ = ["PowerLaw", "check_curve", "fit_power_law"]

_ROUNDING = 1e-9
"""How far an error may lie outside 0 to 1, since 1 - score may."""


@dataclass(frozen=True)
class PowerLaw:
    """error(n) = a·n^-b + c.

    Attributes:
        a: Size of the part that labels remove, at least 0.
        b: How fast they remove it, from 0.01 to 2.
        c: The part that no number of labels removes, at least 0.
    """

    a: float
    b: float
    c: float

    def __call__(self, n: ArrayLike) -> Float:
        """Return the error at n labels, of any shape."""
        return power_law(n, self.a, self.b, self.c)

    def reach(self, error: float) -> float:
        """Return the number of labels that brings the error down to a value, inf if none does."""
        return float(reach(error, self.a, self.b, self.c))


def fit_power_law(n: ArrayLike, error: ArrayLike, *, weights: ArrayLike | None = None) -> PowerLaw:
    """Fit error(n) = a·n^-b + c by least squares.

    Hestness et al., "Deep learning scaling is predictable, empirically", 2017; Rosenfeld et al.,
    "A constructive prediction of the generalization error across scales", ICLR 2020. Where the
    error rises with n, a is 0 and c the mean error.

    Args:
        n: Numbers of labels, distinct and above 0, shape (k,) with k at least 3.
        error: 1 - score at each, from 0 to 1, shape (k,).
        weights: Of the squared residuals, such as inverse variances, above 0, shape (k,);
            None = all the same.

    Raises:
        DataError: Arrays that make no learning curve.
    """
    labels, errors, weight = check_curve(n, np.asarray(error, np.float64)[None], weights)
    laws = fit_rows(labels, errors, weight)
    return PowerLaw(float(laws.a[0]), float(laws.b[0]), float(laws.c[0]))


def check_curve(
    n: ArrayLike, error: ArrayLike, weights: ArrayLike | None
) -> tuple[Float, Float, Float]:
    """Return n (k,), error (B, k) and weights (k,) as numbers that a curve can be fitted to.

    Raises:
        DataError: They make no learning curve.
    """
    labels, errors = np.asarray(n, np.float64), np.asarray(error, np.float64)
    weight = np.ones(labels.shape) if weights is None else np.asarray(weights, np.float64)
    cause = _fault(labels, errors, weight)
    if cause:
        raise DataError(
            f"cannot fit a learning curve to numbers of labels {labels.tolist()}",
            cause=cause,
            remedy="Give each number of labels once, with its error, 1 - score",
        )
    return labels, errors, weight


def _fault(n: Float, error: Float, weights: Float) -> str | None:
    if n.ndim != 1 or error.ndim != 2 or error.shape[1:] != n.shape or weights.shape != n.shape:
        shapes = f"{error.shape} and {weights.shape}"
        return f"errors and weights of shapes {shapes} are not one for each of them"
    if not (np.all(n > 0) and np.all(np.isfinite(n)) and len(np.unique(n)) == len(n)):
        return "they must be distinct numbers above 0"
    if len(n) < 3:
        return "a curve of three parameters takes at least three of them"
    # Written so that NaN, which fails every comparison, is refused.
    if not (error.size and error.min() >= -_ROUNDING and error.max() <= 1 + _ROUNDING):
        return "an error is not a number from 0 to 1, or there is none"
    if not (np.all(weights > 0) and np.all(np.isfinite(weights))):
        return "a weight is not a number above 0"
    return None
