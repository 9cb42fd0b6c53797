"""Several heads fitted in one go, such as those of all draws of a label budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from featkit.errors import UsageError
from featkit.heads.base import Head
from featkit.heads.views import PLAIN, Views

__all__ = ["TrainingSet", "fit_together"]


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """What `Head.fit` is given.

    Attributes:
        features: (n, D), or (n, V, D) of V views of each image, the plain one first.
        label: Class labels (n,).
        groups: What must stay together (n,); None where every row is a group of its own.
        views: Which of the V views are trained on, and over which predictions are averaged.
    """

    features: ArrayLike
    label: ArrayLike
    groups: ArrayLike | None = None
    views: Views = PLAIN


def fit_together(heads: Sequence[Head], samples: Sequence[TrainingSet]) -> None:
    """Fit each head on its own training set, sharing the work that they have in common.

    A head comes out as its own `fit` would leave it, within the tolerance of its solver.

    Args:
        heads: Heads of one class with the same options but for `random_state`.
        samples: A training set for each head.

    Raises:
        UsageError: The heads differ in more than `random_state`, there are not as many training
            sets, or an option has a value that it cannot have.
        ValueError: Features, labels or groups that cannot be learned from.
    """
    if not heads:
        return
    first = heads[0]
    if len(samples) != len(heads):
        raise UsageError(
            f"{len(heads)} heads and {len(samples)} training sets",
            cause="each head is fitted on a training set of its own",
            remedy="Give as many training sets as heads",
        )
    if any(_options(head) != _options(first) for head in heads):
        raise UsageError(
            f"{type(first).__name__} with other options beside it",
            cause="heads that are fitted together may differ in random_state alone",
            remedy="Fit heads with other options apart",
        )
    problems = [
        head._encoded(sample.features, sample.label, sample.groups, sample.views)
        for head, sample in zip(heads, samples, strict=True)
    ]
    with threadpool_limits(first.n_jobs):
        type(first)._fit_together(heads, problems)


def _options(head: Head) -> tuple[type[Head], str]:
    """Return what heads that are fitted together have in common."""
    return type(head), repr({**head.get_params(), "random_state": None})
