"""L2-regularised multinomial logistic regression on the same rows, again and again.

This is the seam behind which the solver lies. `Rows` are prepared once; a `Path` is several
problems on them that differ in sample weights alone (inner folds, draws, refits), solved at one
strength after another.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.heads._arrays import CPU, Arrays
from featkit.heads._bound import Coordinates
from featkit.heads._lbfgs import minimise
from featkit.heads._objective import Objective

__all__ = ["Path", "Rows", "logits", "two_sided"]

_BOLDEST = 5.0
"""Largest factor of an extrapolation that is trusted; in even steps the largest is 3."""


class Rows:
    """Features and labels, brought into coordinates in which every problem on them is quick."""

    def __init__(
        self,
        features: NDArray[np.float32],
        label: NDArray[np.intp],
        weights: NDArray[np.floating],
        *,
        arrays: Arrays = CPU,
    ) -> None:
        """Decompose the features.

        Args:
            features: (n, D).
            label: (n,) encoded classes.
            weights: (n,) about those of the problems to come: they decide how quick, not what.
            arrays: Where to solve.
        """
        self.n_classes = int(label.max()) + 1
        self.arrays = arrays
        self.label = arrays.send(label)
        self.coordinates = Coordinates.of(arrays, features, weights / weights.sum())


class Path:
    """Problems on the same rows, solved together, each from its last optimum.

    The objective is scikit-learn's: strength × Σ weight × log loss + ½ ‖coefficients‖²,
    with a free intercept.
    """

    def __init__(
        self,
        rows: Rows,
        weights: NDArray[np.floating],
        *,
        start: NDArray[np.float32] | None = None,
        tolerance: float = 1e-6,
        max_iterations: int = 1000,
    ) -> None:
        """Begin where it is told.

        Args:
            rows: What all problems share.
            weights: (K, n) one row for each problem; rows of weight zero take no part.
            start: (K, C, D + 1) where to start from; zeros by default.
            tolerance: How much the objective may exceed the optimum, relative, as estimated.
            max_iterations: Most iterations for each strength.
        """
        self._rows = rows
        totals = weights.sum(axis=1, dtype=np.float64)
        self._totals = np.where(totals > 0, totals, 1.0)
        shares = weights / self._totals[:, None]
        self._shares = rows.arrays.send(shares.astype(np.float32))
        self._limits = {"tolerance": tolerance, "max_iterations": max_iterations}
        columns = rows.coordinates.features.shape[1]
        self._theta = rows.arrays.send(
            np.zeros((len(weights), rows.n_classes, columns), dtype=np.float32)
        )
        if start is not None:
            self._theta = rows.coordinates.inwards(_by_class(start))
        self._solved: list[tuple[float, Any]] = []

    def solve(self, strengths: ArrayLike) -> NDArray[np.float32]:
        """Solve every problem at a strength (scikit-learn's C), best from small to large.

        Args:
            strengths: One for all problems, or (K,) one for each.

        Returns:
            Coefficients (K, C, D + 1), the intercept last; for two classes (K, 1, D + 1), the
            logit of the second.
        """
        each = np.broadcast_to(np.asarray(strengths, dtype=np.float64), self._totals.shape)
        level = float(np.log(each).mean())
        coordinates = self._rows.coordinates
        self._theta = minimise(
            self._objective(each),
            coordinates,
            self._continued(level),
            **self._limits,  # type: ignore[arg-type]
        )
        risen = not self._solved or level > self._solved[-1][0]
        self._solved = [*(self._solved[-2:] if risen else []), (level, self._theta)]
        found = coordinates.outwards(self._theta)
        return found[:, 1:] - found[:, :1] if self._rows.n_classes == 2 else found

    def keep(self, problems: NDArray[np.bool_]) -> None:
        """Go on with some of the problems alone, (K,)."""
        index = self._rows.arrays.send(np.flatnonzero(problems))
        self._totals, self._shares = self._totals[problems], self._shares[index]
        self._theta = self._theta[index]
        self._solved = [(level, theta[index]) for level, theta in self._solved]

    def _continued(self, level: float) -> Any:
        """Return where the optima should lie: on the parabola through the last three."""
        levels = np.array([known for known, _ in self._solved])
        factors = _extrapolation(levels, level)
        if not len(levels) or np.abs(factors).max() > _BOLDEST:
            return self._theta
        return sum(
            float(factor) * theta for factor, (_, theta) in zip(factors, self._solved, strict=True)
        )

    def _objective(self, strengths: NDArray[np.float64]) -> Objective:
        # Two classes have half of a logit's coefficient each, and half of its penalty in all.
        penalty = (2 if self._rows.n_classes == 2 else 1) / (strengths * self._totals)
        ridge = np.repeat(penalty[:, None, None], self._theta.shape[2], axis=2)
        ridge[..., -1] = 0
        arrays, coordinates = self._rows.arrays, self._rows.coordinates
        return Objective(
            arrays.xp,
            coordinates.features,
            coordinates.transposed,
            self._rows.label,
            self._shares,
            arrays.send(ridge.astype(np.float32)),
        )


def logits(
    features: NDArray[np.floating], coefficients: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return scores (n, C) whose softmax are the probabilities.

    Args:
        features: (n, D).
        coefficients: (C, D + 1), or (1, D + 1) for two classes.
    """
    return two_sided(features @ coefficients[:, :-1].T + coefficients[:, -1])


def two_sided(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return scores (n, C); of a single column, the logit of the second of two classes, (n, 2)."""
    return np.column_stack([np.zeros_like(scores), scores]) if scores.shape[1] == 1 else scores


def _by_class(coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return coefficients (K, C, D + 1) with a row for each class, of two classes as well."""
    if coefficients.shape[1] > 1:
        return coefficients
    halves = coefficients / 2
    return np.concatenate([-halves, halves], axis=1)


def _extrapolation(levels: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Return the factors of values at some levels in Lagrange's polynomial at another level."""
    return np.array(
        [
            np.prod([(level - other) / (own - other) for other in levels if other != own])
            for own in levels
        ]
    )
