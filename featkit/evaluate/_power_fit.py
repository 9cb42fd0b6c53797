"""Least squares of power laws to many learning curves at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from featkit.evaluate._inputs import Float, chunks

__all__ = ["HIGHEST_EXPONENT", "LOWEST_EXPONENT", "Laws", "fit_rows", "power_law", "reach"]

LOWEST_EXPONENT = 0.01
HIGHEST_EXPONENT = 2.0
"""Ends of the search for b; measured curves lie well inside (Hestness et al. 2017)."""

_GRID = 41
_ZOOMS = 7
"""Each zoom searches between the neighbours of the last best b: a twentieth of the interval."""


@dataclass(frozen=True)
class Laws:
    """Power laws a·n^-b + c of B curves, each of shape (B,)."""

    a: Float
    b: Float
    c: Float

    def at(self, n: Float) -> Float:
        """Return the errors at n (m,), shape (B, m)."""
        return power_law(n, self.a[:, None], self.b[:, None], self.c[:, None])

    def reach(self, error: float) -> Float:
        """Return the n at which each law comes down to an error, inf where it never does, (B,)."""
        return reach(error, self.a, self.b, self.c)


def power_law(n: ArrayLike, a: Float | float, b: Float | float, c: Float | float) -> Float:
    """Return a·n^-b + c, broadcast."""
    error: Float = a * np.asarray(n, np.float64) ** -b + c
    return error


def reach(error: float, a: Float | float, b: Float | float, c: Float | float) -> Float:
    """Return the n at which a·n^-b + c comes down to an error, inf where it never does."""
    above = np.asarray(error - c)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        n: Float = (a / above) ** np.divide(1, b)
    return np.where(above > 0, n, np.inf)


def fit_rows(n: Float, error: Float, weights: Float) -> Laws:
    """Fit a power law to each row by least squares with a >= 0, b in its bounds and c >= 0.

    Given b the problem is linear in a and c and has a closed form; what remains is a search along
    b, made for all rows at once on a grid that zooms in on each row's best.

    Args:
        n: Shape (k,).
        error: Shape (B, k).
        weights: Of the squared residuals, shape (k,).
    """
    # Around 1, so that powers neither overflow nor lose a against c.
    unit = float(np.exp(np.mean(np.log(n))))
    laws = [
        _search(np.log(n / unit), error[part], weights / weights.sum())
        for part in chunks(len(error), _GRID * len(n))
    ]
    a, b, c = (np.concatenate([getattr(law, name) for law in laws]) for name in "abc")
    return Laws(a * unit**b, b, c)


def _search(log_n: Float, error: Float, weights: Float) -> Laws:
    low = np.full(len(error), np.log(LOWEST_EXPONENT))
    high = np.full(len(error), np.log(HIGHEST_EXPONENT))
    rows = np.arange(len(error))
    for _ in range(_ZOOMS):
        grid = np.linspace(low, high, _GRID, axis=1)
        a, c, loss = _given_exponent(np.exp(grid), log_n, error, weights)
        best = np.argmin(loss, axis=1)
        low = grid[rows, np.maximum(best - 1, 0)]
        high = grid[rows, np.minimum(best + 1, _GRID - 1)]
    return Laws(a[rows, best], np.exp(grid[rows, best]), c[rows, best])


def _given_exponent(
    b: Float, log_n: Float, error: Float, weights: Float
) -> tuple[Float, Float, Float]:
    """Return the best a and c, and their loss, for exponents b (B, g), each of shape (B, g)."""
    power = np.exp(-b[:, :, None] * log_n)
    error = error[:, None, :]
    mean_power, mean_error = power @ weights, error @ weights
    centred = power - mean_power[:, :, None]
    a = np.maximum(((centred * error) @ weights) / (centred**2 @ weights), 0.0)
    c = mean_error - a * mean_power
    # Where the line would leave c >= 0 it goes through the origin; then a is positive anyway.
    through_origin = c < 0
    a = np.where(through_origin, ((power * error) @ weights) / (power**2 @ weights), a)
    c = np.where(through_origin, 0.0, c)
    residual = a[:, :, None] * power + c[:, :, None] - error
    return a, c, residual**2 @ weights
