"""The data set's own split: what it tests, and what of its training side leaks."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.errors import PlanError

__all__ = ["official_sides"]

_NAMES = ("train", "val", "test")


def official_sides(
    official: ArrayLike | None, label: NDArray[np.int16], group: NDArray[np.str_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the tested rows, and the training rows whose lesion is tested as well.

    Known data sets do repeat lesions across their official split; to drop the training side of
    these keeps the published test set whole.

    Args:
        official: `train`, `val` or `test`, shape (N,).
        label: Class of each row, -1 = takes no part, shape (N,).
        group: Lesion of each row, merged, shape (N,).

    Returns:
        Whether each row is tested, and whether it is to be dropped, both of shape (N,).

    Raises:
        PlanError: There is no official split, or it has no test images or an unknown name.
    """
    if official is None:
        _refuse("the data set brings no train/val/test of its own")
    side = np.asarray(official, dtype=np.str_)
    if side.shape != label.shape:
        _refuse(f"it names {len(side)} images where there are {len(label)}")
    part = label >= 0
    unknown = np.setdiff1d(side[part], _NAMES)
    if len(unknown):
        _refuse(f"“{unknown[0]}” is none of {', '.join(_NAMES)}")
    name = "test" if np.any(side[part] == "test") else "val"
    tested = part & (side == name)
    if not tested.any():
        _refuse("it has no test images with a label")
    return tested, part & ~tested & np.isin(group, group[tested])


def _refuse(cause: str) -> NoReturn:
    raise PlanError(
        "no official split", cause=cause, remedy="Use --split grouped, or mend the split column"
    )
