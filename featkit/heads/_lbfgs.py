"""L-BFGS for several convex problems in step, with a preconditioner and a line search for free.

Each iteration takes two products with the features, one for the directions' margins and one for
the gradients, each for all problems at once; the line search works on margins alone. Problems
that are solved leave. The two-loop recursion is Algorithm 7.4 of Nocedal & Wright, Numerical
Optimization (2006), with the preconditioner's inverse in place of a multiple of the identity.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from featkit.heads._bound import Coordinates, Curvature
from featkit.heads._objective import Line, Objective, Point, dot, spread

__all__ = ["minimise"]

Array = Any

_MEMORY = 20
"""Pairs of the last iterations."""
_ROUNDING = 1e-12
"""Of the objective, what float32 gradients cannot promise to improve it by."""
_LOST = 1e-30
"""A product of step and change of gradient that float32 no longer tells from zero."""
_REFRESH = 10
"""Iterations between looks at the curvature, on which the preconditioner rests."""
_SLOPE_LEFT = 0.5
"""A step is long enough when the slope along the line has fallen to this share."""
_TRIALS = 12
"""Most steps tried along a line."""
_GROWTH = 5.0
"""A step grows at most so many times from one trial to the next."""


class _Pair(NamedTuple):
    """A step and the change of the gradient along it: what the memory is made of."""

    step: Array
    change: Array
    inverse: Array
    """(K,) 1 / (step · change); 0 where the change is lost in rounding, which forgets the pair."""

    @classmethod
    def of(cls, xp: Any, step: Array, change: Array) -> _Pair:
        product = dot(step, change)
        known = product > _LOST
        return cls(step, change, xp.where(known, 1 / xp.where(known, product, 1.0), 0.0))

    def chosen(self, problems: Array) -> _Pair:
        return _Pair(*(part[problems] for part in self))


def minimise(
    objective: Objective,
    coordinates: Coordinates,
    theta: Array,
    *,
    tolerance: float,
    max_iterations: int,
) -> Array:
    """Return the minima (K, C, D) of K problems.

    A problem is solved when half the product of gradient and quasi-Newton step, the decrease that
    a quadratic model promises, is at most `tolerance` of the objective, and of what has been gained
    on θ = 0: where the penalty is strong, all of that is little, and yet decides the predictions.

    Args:
        objective: The problems.
        coordinates: The features' spectrum, in whose coordinates they are.
        theta: Where to start from, (K, C, D).
        tolerance: Relative to the objective or the gain, whichever is less.
        max_iterations: Most iterations.
    """
    xp = objective.xp
    solved = theta + 0
    active = xp.arange(len(theta), device=theta.device)
    point = objective.at(theta)
    gradient = objective.gradient(point, theta)
    memory: deque[_Pair] = deque(maxlen=_MEMORY)
    for iteration in range(max_iterations):
        if iteration % _REFRESH == 0:
            curvature = coordinates.curvature(objective, point)
        direction = _direction(gradient, memory, curvature)
        slope = dot(gradient, direction)
        going = -slope / 2 > objective.scale(point, theta, least=_ROUNDING / tolerance) * tolerance
        if not bool(going.all()):
            solved[active] = theta
            if not bool(going.any()):
                return solved
            active, theta, gradient = active[going], theta[going], gradient[going]
            direction, slope = direction[going], slope[going]
            objective, curvature = objective.chosen(going), curvature.chosen(going)
            point = Point(*(part[going] for part in point))
            memory = deque((pair.chosen(going) for pair in memory), maxlen=_MEMORY)
        line = objective.line(theta, direction)
        point, step = _search(objective, point, line, slope)
        moved = spread(step) * direction
        theta = theta + moved
        new = objective.gradient(point, theta)
        memory.append(_Pair.of(xp, moved, new - gradient))
        gradient = new
    solved[active] = theta
    return solved


def _direction(gradient: Array, memory: deque[_Pair], curvature: Curvature) -> Array:
    """Return the quasi-Newton directions (K, C, D)."""
    rest = -gradient
    shares = []
    for pair in reversed(memory):
        share = spread(pair.inverse * dot(pair.step, rest))
        rest = rest - share * pair.change
        shares.append(share)
    direction = curvature.solve(rest)
    for pair, share in zip(memory, reversed(shares), strict=True):
        back = spread(pair.inverse * dot(pair.change, direction))
        direction = direction + (share - back) * pair.step
    return direction


def _search(objective: Objective, start: Point, line: Line, slope: Array) -> tuple[Point, Array]:
    """Return the points after steps (K,) along the line that leave little of the slope (K,).

    The slope rises along the line, for the objective is convex: Newton's method finds its zero,
    and where it leaves the bracket, doubling or halving does. Where no trial is good enough, which
    is rounding at the optimum, the last one counts.
    """
    xp = objective.xp
    step = xp.ones_like(slope)
    low, high = xp.zeros_like(slope), xp.full_like(slope, float("inf"))
    point, first, second = objective.along(start, line, step)
    for _ in range(_TRIALS):
        long_enough = xp.abs(first) <= _SLOPE_LEFT * xp.abs(slope)
        if bool(long_enough.all()):
            break
        low = xp.where(first < 0, step, low)
        high = xp.where(first < 0, high, step)
        newton = step - first / (second + _LOST)
        inside = (newton > low) & (newton < high) & (newton < _GROWTH * step)
        halfway = xp.where(xp.isinf(high), 2 * step, (low + high) / 2)
        step = xp.where(long_enough, step, xp.where(inside, newton, halfway))
        point, first, second = objective.along(start, line, step)
    return point, step
