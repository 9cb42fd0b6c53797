"""The objective of multinomial logistic regression, for several problems on the same rows.

Problem k has weights w_k that sum to 1 and a ridge λ_k: its objective is

    f(θ) = Σ_i w_ki · log Σ_c exp(m_ic) + λ_k/2 · ‖coefficients‖²,    m_ic = θ_c·x_i − θ_y(i)·x_i,

with margins m relative to each row's own class. Written so, neither the loss of a row that is
learned well nor its gradient is a difference of nearly equal numbers, and float32 is enough.

Shapes: K problems, n rows, C classes, D columns, of which the last is the constant 1 of the
intercepts. The rows come last in (K, C, n), so that sums over classes run over whole vectors.
"""

from __future__ import annotations

from math import log
from typing import Any, NamedTuple

__all__ = ["Line", "Objective", "Point", "dot", "spread"]

Array = Any
"""Of NumPy or PyTorch, float32 unless told otherwise."""


class Point(NamedTuple):
    """What the objective's derivatives are made from."""

    margins: Array
    """(K, C, n), minus infinity at each row's own class."""
    others: Array
    """(K, C, n) probabilities of the other classes, 0 at each row's own."""
    loss: Array
    """(K, n)."""


class Line(NamedTuple):
    """A line through a point: directions, and what does not change along them."""

    margins: Array
    """(K, C, n) change of the margins by a step of 1, 0 at each row's own class."""
    ridge: tuple[Array, Array]
    """(K,) first derivative of the penalty at the point, and its second derivative."""


class Objective(NamedTuple):
    """The objectives of K problems."""

    xp: Any
    features: Array
    """(n, D), the last column 1."""
    transposed: Array
    """(D, n), the same: on a CPU a copy, for a product with it is quicker than with a view."""
    label: Array
    """(n,)."""
    weights: Array
    """(K, n), each row's sum 1."""
    ridge: Array
    """(K, 1, D), λ of the coefficients, and 0 for the intercept."""

    def chosen(self, problems: Array) -> Objective:
        """Return the objectives of some problems (boolean mask)."""
        return self._replace(weights=self.weights[problems], ridge=self.ridge[problems])

    def at(self, theta: Array) -> Point:
        """Return the point θ (K, C, D)."""
        margins = self._margins(theta)
        margins[:, self.label, self._rows()] = -float("inf")
        return self._point(margins)

    def scale(self, point: Point, theta: Array, *, least: float) -> Array:
        """Return the objectives (K,), or what was gained on θ = 0 where that is less.

        The gain is at least the penalty, for the objective is convex beyond the penalty; so it is
        known where it is lost in the objective's rounding.

        Args:
            point: The point θ.
            theta: (K, C, D).
            least: No less than this share of the objective.
        """
        penalty = dot(self.ridge * theta, theta) / 2
        value = (self.weights * point.loss).sum(1) + penalty
        at_zero = log(theta.shape[1]) * self.weights.sum(1)
        gain = self.xp.maximum(at_zero - value, penalty)
        return self.xp.minimum(value, self.xp.maximum(gain, least * value))

    def gradient(self, point: Point, theta: Array) -> Array:
        """Return the gradients (K, C, D)."""
        residual = point.others * self.weights[:, None]
        residual[:, self.label, self._rows()] = -residual.sum(1)
        problems, classes, rows = residual.shape
        product = residual.reshape(problems * classes, rows) @ self.features
        gradient = product.reshape(problems, classes, -1)
        # Intercepts that all rise alike change nothing; rounding must not drive them on and on.
        gradient[..., -1] -= gradient[..., -1].mean(1)[:, None]
        return gradient + self.ridge * theta

    def line(self, theta: Array, direction: Array) -> Line:
        """Return the line from θ along directions (K, C, D): the only product that it takes."""
        pull = self.ridge * direction
        return Line(self._margins(direction), (dot(pull, theta), dot(pull, direction)))

    def along(self, start: Point, line: Line, step: Array) -> tuple[Point, Array, Array]:
        """Return the points after steps (K,), and both derivatives by the step there, (K,)."""
        point = self._point(start.margins + spread(step) * line.margins)
        pulled = point.others * line.margins
        mean = pulled.sum(1)
        slope, bend = line.ridge
        first = (self.weights * mean).sum(1) + slope + step * bend
        variance = (pulled * line.margins).sum(1) - mean**2
        return point, first, (self.weights * variance).sum(1) + bend

    def curvature(self, point: Point) -> Array:
        """Return the weighted mean (K, C, C) of diag(p) − pp' over the rows."""
        p = point.others + 0
        p[:, self.label, self._rows()] = 1 - p.sum(1)
        weighted = p * self.weights[:, None]
        diagonal = self.xp.eye(p.shape[1], dtype=p.dtype, device=p.device)
        return diagonal * weighted.sum(2)[:, None] - weighted @ p.mT

    def _margins(self, theta: Array) -> Array:
        problems, classes, columns = theta.shape
        product = theta.reshape(problems * classes, columns) @ self.transposed
        margins = product.reshape(problems, classes, -1)
        margins -= margins[:, self.label, self._rows()][:, None]
        return margins

    def _point(self, margins: Array) -> Point:
        highest = self.xp.clip(self.xp.amax(margins, axis=1, keepdims=True), 0, None)
        others = self.xp.exp(margins - highest)
        total = others.sum(1)[:, None]
        loss = highest + self.xp.log1p(total + self.xp.expm1(-highest))
        others /= total + self.xp.exp(-highest)
        return Point(margins, others, loss[:, 0])

    def _rows(self) -> Array:
        return self.xp.arange(len(self.label), device=self.label.device)


def dot(a: Array, b: Array) -> Array:
    """Return inner products (K,) of arrays (K, C, D)."""
    return (a * b).sum((1, 2))


def spread(factors: Array) -> Array:
    """Return factors (K,) as (K, 1, 1)."""
    return factors[:, None, None]
