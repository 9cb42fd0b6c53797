"""A preconditioner for logistic regression that all strengths, folds and draws share.

The Hessian of the mean log loss is Σ_i w_i (diag(p_i) − p_i p_i') ⊗ x_i x_i'. Böhning (Annals of
the Institute of Statistical Mathematics 44, 1992) bounds it by ½(I − 11'/C) ⊗ Σ_i w_i x_i x_i':
one eigendecomposition of the features' Gram matrix inverts the bound for every strength. Here the
mean A of diag(p_i) − p_i p_i' at hand stands in the place of the bound's first factor. So it is no
bound any more, but the Hessian's own scale, also where most rows are learned well. In
coordinates in which the Gram matrix is diagonal, with eigenvalues s, and A = U diag(a) U',

    (A ⊗ diag(s) + λI)⁻¹ = (U ⊗ I) diag(1 / (a_c s_j + λ)) (U' ⊗ I).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from featkit.heads._arrays import Arrays
from featkit.heads._objective import Objective, Point

__all__ = ["Coordinates", "Curvature"]

Array = Any

_FLATTEST = 0.1
"""The least eigenvalue of A that is believed, relative to the largest: A is a mean over rows that
differ, and singular along the constant."""
_FLATTEST_AT_ALL = 1e-8
"""The least eigenvalue at all, for problems without weight, or where all rows are learned."""


class Curvature(NamedTuple):
    """The preconditioner of K problems."""

    axes: Array
    """(K, C, C), U."""
    inverse: Array
    """(K, C, D), 1 / (a s + λ)."""

    def chosen(self, problems: Array) -> Curvature:
        """Return that of some problems (boolean mask)."""
        return Curvature(self.axes[problems], self.inverse[problems])

    def solve(self, gradient: Array) -> Array:
        """Return the inverse's product with gradients (K, C, D)."""
        return self.axes @ ((self.axes.mT @ gradient) * self.inverse)


class Coordinates(NamedTuple):
    """Features in coordinates in which their weighted Gram matrix is diagonal."""

    arrays: Arrays
    features: Array
    """(n, D + 1): centred and rotated, the last column 1."""
    transposed: Array
    """(D + 1, n)."""
    spectrum: Array
    """(D + 1,) eigenvalues, and 1 for the intercept."""
    mean: Array
    """(D,)."""
    basis: Array
    """(D, D), orthogonal."""

    @classmethod
    def of(
        cls, arrays: Arrays, features: NDArray[np.float32], weights: NDArray[np.float64]
    ) -> Coordinates:
        """Decompose features (n, D), their rows weighted (n,) with a sum of 1."""
        xp = arrays.xp
        sent, share = arrays.send(features), arrays.send(weights.astype(np.float32))
        mean = share @ sent
        centred = sent - mean
        root = centred * xp.sqrt(share)[:, None]
        spectrum, basis = np.linalg.eigh(arrays.fetch(root.T @ root).astype(np.float64))
        basis = arrays.send(basis.astype(np.float32))
        rotated = xp.ones((len(sent), len(mean) + 1), dtype=sent.dtype, device=sent.device)
        rotated[:, :-1] = centred @ basis
        return cls(
            arrays,
            rotated,
            arrays.transposed(rotated),
            arrays.send(np.append(np.maximum(spectrum, 0), 1).astype(np.float32)),
            mean,
            basis,
        )

    def curvature(self, objective: Objective, point: Point) -> Curvature:
        """Return the preconditioner at a point."""
        means = self.arrays.fetch(objective.curvature(point)).astype(np.float64)
        flat, axes = np.linalg.eigh(means)
        least = np.maximum(_FLATTEST * flat.max(axis=1, keepdims=True), _FLATTEST_AT_ALL)
        believed = self.arrays.send(np.maximum(flat, least).astype(np.float32))
        whole = believed[:, :, None] * self.spectrum + objective.ridge
        return Curvature(self.arrays.send(axes.astype(np.float32)), 1 / whole)

    def inwards(self, coefficients: NDArray[np.float32]) -> Array:
        """Return coefficients (K, C, D + 1) of the features given as those of the coordinates."""
        given = self.arrays.send(coefficients)
        intercept = given[..., -1:] + (given[..., :-1] @ self.mean)[..., None]
        return self.arrays.xp.concatenate([given[..., :-1] @ self.basis, intercept], axis=-1)

    def outwards(self, theta: Array) -> NDArray[np.float32]:
        """Return coefficients (K, C, D + 1) of the coordinates as those of the features given."""
        coefficients = theta[..., :-1] @ self.basis.T
        intercept = theta[..., -1:] - (coefficients @ self.mean)[..., None]
        # Intercepts that all rise alike are the same model: of these, the one with a mean of 0.
        intercept = intercept - intercept.mean(1)[:, None]
        joined = self.arrays.xp.concatenate([coefficients, intercept], axis=-1)
        found: NDArray[np.float32] = self.arrays.fetch(joined)
        return found
