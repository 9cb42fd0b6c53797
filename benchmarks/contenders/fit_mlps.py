"""featkit's MLP heads of several draws, in one batch or one by one.

Arguments: `data` (see `benchmarks.material.features`), `rows` of each draw, `draws`, `together`,
`threads`, `out` (.npz).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.contenders.stopwatch import Stopwatch, arguments
from featkit.heads import MLPHead, TrainingSet, fit_together


def main() -> None:
    """Fit a head on each draw, and predict the test images."""
    wanted = arguments()
    data = np.load(wanted["data"])
    X, y, groups, X_test = (data[name] for name in ("X", "y", "groups", "X_test"))
    samples = []
    for draw in range(wanted["draws"]):
        rows = drawn(y, wanted["rows"], draw)
        samples.append(TrainingSet(X[rows], y[rows], groups[rows]))
    heads = [MLPHead(random_state=draw, n_jobs=wanted["threads"]) for draw in range(len(samples))]

    watch = Stopwatch()
    if wanted["together"]:
        fit_together(heads, samples)
    else:
        for head, sample in zip(heads, samples, strict=True):
            head.fit(sample.features, sample.label, sample.groups)
    watch.stop(len(heads))
    np.savez(wanted["out"], probabilities=np.stack([h.predict_proba(X_test) for h in heads]))


def drawn(label: NDArray[np.integer], count: int, seed: int) -> NDArray[np.intp]:
    """Return `count` rows at random, two or more of each class."""
    order = np.random.default_rng(seed).permutation(len(label))
    first = np.concatenate([order[label[order] == each][:2] for each in np.unique(label)])
    return np.concatenate([first, order[~np.isin(order, first)]])[:count]


if __name__ == "__main__":
    main()
