"""McNemar's test over lesions: which of two methods is right more often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr

from featkit.errors import DataError
from featkit.evaluate._inputs import Predictions, check_inputs

__all__ = ["McNemar", "mcnemar"]


@dataclass(frozen=True)
class McNemar:
    """Lesions that one method gets right and the other wrong.

    Attributes:
        lesions: Lesions that were compared.
        only_a: Of these, those that only the first method gets right.
        only_b: Those that only the second gets right.
        p: Two-sided exact p-value of both being right equally often.
    """

    lesions: int
    only_a: int
    only_b: int
    p: float


def mcnemar(
    label: ArrayLike,
    probabilities_a: ArrayLike,
    probabilities_b: ArrayLike,
    group: ArrayLike,
) -> McNemar:
    """Compare how many lesions two methods get right on the same images.

    Images of one lesion are no independent evidence, so each lesion counts once: its prediction
    is the top class of the mean of its images' probabilities, the first of equals. Lesions on
    which the methods disagree fall to either side with equal chance if neither is better, hence
    the exact binomial test (McNemar, "Note on the sampling error of the difference between
    correlated proportions or percentages", Psychometrika 1947). It is about accuracy over
    lesions, in which frequent classes prevail, not about balanced accuracy.

    A lesion whose images have several labels has no one answer and is left out.

    Args:
        label: True class, shape (n,).
        probabilities_a: Of the first method, shape (n, C).
        probabilities_b: Of the second, for the same images, shape (n, C).
        group: Lesion of each image, shape (n,).

    Raises:
        DataError: The arrays do not fit together.
    """
    first = check_inputs(label, probabilities_a, None)
    second = check_inputs(label, probabilities_b, None)
    names = np.asarray(group, dtype=np.str_)
    if names.shape != first.label.shape or second.n_classes != first.n_classes:
        raise DataError(
            f"cannot compare predictions of shapes {first.probabilities.shape} and "
            f"{second.probabilities.shape} by lesions of shape {names.shape}",
            cause="they must be the same images and classes, each image with its lesion",
            remedy="Take both methods' predictions and the lesions from Runs of one Plan",
        )
    _, image, lesion = np.unique(names, return_index=True, return_inverse=True)
    answer = first.label[image]
    one_answer = np.bincount(lesion, weights=first.label != answer[lesion]) == 0
    right_a, right_b = (
        (_lesion_prediction(method, lesion) == answer)[one_answer] for method in (first, second)
    )
    only_a, only_b = int(np.sum(right_a & ~right_b)), int(np.sum(right_b & ~right_a))
    smaller_side = float(bdtr(min(only_a, only_b), only_a + only_b, 0.5))
    return McNemar(len(right_a), only_a, only_b, p=min(1.0, 2 * smaller_side))


def _lesion_prediction(predictions: Predictions, lesion: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the top class of each lesion's images together, shape (lesions,)."""
    columns = predictions.probabilities.astype(np.float64).T
    total = np.stack([np.bincount(lesion, weights=column) for column in columns], axis=1)
    predicted: NDArray[np.intp] = np.argmax(total, axis=1)
    return predicted
