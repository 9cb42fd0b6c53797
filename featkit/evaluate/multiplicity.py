"""Correction for comparing many pairs at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.errors import DataError

__all__ = ["holm"]


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Correct a family of p-values by Holm's step-down method.

    Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 1979.

    Args:
        p: P-values from 0 to 1, shape (m,); NaN stands for a test that was not made.

    Returns:
        Corrected p-values, shape (m,): to compare with the level of the whole family. NaN stays
        NaN and does not count as a member of the family.

    Raises:
        DataError: A p-value outside 0 to 1.
    """
    values = np.array(p, dtype=np.float64)
    made = np.flatnonzero(~np.isnan(values))
    if values.ndim != 1 or np.any((values[made] < 0) | (values[made] > 1)):
        raise DataError(
            "cannot correct p-values",
            cause="they must be one row of numbers from 0 to 1",
            remedy="Check the comparisons that they come from",
        )
    order = made[np.argsort(values[made], kind="stable")]
    raised = values[order] * np.arange(len(order), 0, -1)
    values[order] = np.minimum(1.0, np.maximum.accumulate(raised))
    return values
