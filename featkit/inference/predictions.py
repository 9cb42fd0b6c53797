"""Predictions: what a model says of some images, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Predictions"]


_BEFORE = ("image_id", "top", "decision", "above_threshold", "confidence", "unlike", "flagged")
_LAST = "failure"


def _column(name: str) -> str:
    """Return the column of a class, which may have the name of another one."""
    return f"p({name})" if name in {*_BEFORE, _LAST} else name


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says of n images.

    Attributes:
        image_id: Shape (n,).
        classes: Names of the C classes.
        probabilities: Calibrated, shape (n, C), float64; NaN where an image failed.
        decided: Index of the class that the head decides for, as the comparison scores it, shape
            (n,); -1 where an image failed. A head that was trained with class weights decides as if
            all classes were equally frequent, so it may be another one than the most probable.
        unlike: How strange each image is, from 0 to 1 (see `Cases.unlike`), shape (n,); NaN where
            it failed, None where the model has no training cases.
        unlike_from: From where on an image is flagged.
        reason: Why an image failed, "" where it did not, shape (n,).
        thresholds: From which calibrated probability on a class is marked, by its name.
    """

    image_id: NDArray[np.str_]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    decided: NDArray[np.intp]
    unlike: NDArray[np.float64] | None
    unlike_from: float
    reason: NDArray[np.str_]
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.image_id)

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Which images could not be read, shape (n,)."""
        return np.asarray(self.reason != "")

    @property
    def top(self) -> NDArray[np.str_]:
        """The most probable class of each image, "" where it failed, shape (n,)."""
        best = np.where(self.failed[:, None], 0, self.probabilities).argmax(axis=1)
        return np.where(self.failed, "", np.array(self.classes)[best])

    @property
    def decision(self) -> NDArray[np.str_]:
        """The class that the head decides for, "" where an image failed, shape (n,)."""
        return np.where(self.failed, "", np.array(self.classes)[self.decided])

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Which images are unlike the training data, shape (n,)."""
        if self.unlike is None:
            return np.zeros(len(self), bool)
        return np.asarray(self.unlike >= self.unlike_from)

    def above_threshold(self, row: int) -> list[str]:
        """Return the classes whose probability in a row reaches their threshold."""
        found = dict(zip(self.classes, self.probabilities[row].tolist(), strict=True))
        return [name for name, least in self.thresholds.items() if found[name] >= least]

    @property
    def columns(self) -> list[str]:
        """Names of what `rows` yields."""
        return [*_BEFORE, *map(_column, self.classes), _LAST]

    def rows(self) -> Iterator[dict[str, object]]:
        """Yield what is known of each image, by column."""
        confidence, flagged = self.probabilities.max(axis=1), self.flagged
        top, decision = self.top, self.decision
        for row, image_id in enumerate(self.image_id.tolist()):
            fine = not self.failed[row]
            yield {
                "image_id": image_id,
                "top": str(top[row]),
                "decision": str(decision[row]),
                "above_threshold": "; ".join(self.above_threshold(row)),
                "confidence": float(confidence[row]) if fine else None,
                "unlike": float(self.unlike[row]) if fine and self.unlike is not None else None,
                "flagged": bool(flagged[row]) if fine and self.unlike is not None else None,
                **{
                    _column(name): float(self.probabilities[row, place]) if fine else None
                    for place, name in enumerate(self.classes)
                },
                _LAST: str(self.reason[row]),
            }

    def pandas(self) -> pd.DataFrame:
        """Return `rows` as a table."""
        import pandas as pd

        return pd.DataFrame(self.rows(), columns=self.columns)
