"""The class in focus: how many of its images are found while nearly all others stay negative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.errors import UsageError
from featkit.evaluate import sensitivity_at_specificity

__all__ = ["FocusMetric", "focus_metric"]

_MELANOMA = ("mel", "melanoma")


@dataclass(frozen=True)
class FocusMetric:
    """Sensitivity for one class at 95% specificity."""

    class_index: int
    name: str = "sensitivity_at_95_specificity"

    def __call__(
        self, label: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None
    ) -> NDArray[np.float64]:
        """Return the sensitivity, shape (B,)."""
        return sensitivity_at_specificity(
            label, probabilities, weights, class_index=self.class_index, specificity=0.95
        )


def focus_metric(classes: Sequence[str], wanted: str | None) -> FocusMetric | None:
    """Return the sensitivity for the wanted class; for melanoma, where it is a class, by default.

    Raises:
        UsageError: The wanted class is none of the classes.
    """
    names = [name.casefold() for name in classes]
    if wanted is None:
        found = [names.index(name) for name in _MELANOMA if name in names]
        return FocusMetric(found[0]) if found else None
    if wanted.casefold() not in names:
        raise UsageError(
            f"--focus {wanted}",
            cause=f"the classes are {', '.join(classes)}",
            remedy="Give one of these names",
        )
    return FocusMetric(names.index(wanted.casefold()))
