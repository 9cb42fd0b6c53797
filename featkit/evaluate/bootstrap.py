"""The bootstrap over lesions: images of one lesion are no independent evidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.errors import DataError, UsageError
from featkit.evaluate._inputs import chunks
from featkit.fingerprints import stable_seed

__all__ = ["interval", "lesion_weights"]


def lesion_weights(group: ArrayLike, *, resamples: int, seed: int) -> NDArray[np.float32]:
    """Return how often each resampling of the lesions holds each image.

    As many lesions as there are drawn with replacement from the whole test set, not class by
    class: the support of a class varies, as it would in another sample of patients. The weights
    depend on the lesions and the seed alone, so that all methods on one test set share them.

    Args:
        group: Lesion of each image, shape (n,).
        resamples: Number of resamplings B.
        seed: Seed of the draws.

    Returns:
        Counts, shape (B, n), the same for all images of a lesion.

    Raises:
        DataError: There is no image.
        UsageError: Fewer than one resampling.
    """
    if resamples < 1:
        raise UsageError(
            f"{resamples} resamples", cause="there must be at least one", remedy="Use 1000 or more"
        )
    names, of_image = np.unique(np.asarray(group, dtype=np.str_), return_inverse=True)
    if not len(names):
        raise DataError(
            "no image to resample", cause="the test set is empty", remedy="Check the run"
        )
    # Seeded by the names, so that folds with equally many lesions draw independently.
    generator = np.random.default_rng(stable_seed("lesions", seed, list(map(str, names))))
    weights = np.empty((resamples, len(of_image)), dtype=np.float32)
    for part in chunks(resamples, len(names)):
        n_rows = len(weights[part])
        drawn = generator.integers(len(names), size=(n_rows, len(names)))
        drawn += len(names) * np.arange(n_rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n_rows * len(names))
        weights[part] = counts.reshape(n_rows, len(names))[:, of_image]
    return weights


def interval(samples: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of bootstrap samples.

    Args:
        samples: Scores of the resamplings, shape (B,); those without a score (NaN) are left out.
        level: Coverage, above 0 and below 1.

    Returns:
        Lower and upper end, NaN where no resampling has a score.

    Raises:
        UsageError: A level outside 0 to 1.
    """
    if not 0 < level < 1:
        raise UsageError(
            f"level {level:g}", cause="it must be between 0 and 1", remedy="Use 0.95, for example"
        )
    values = np.asarray(samples, dtype=np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
