"""LGBMClassifier as it comes.

Arguments: `data` (see `benchmarks.material.features`), `out` (.npz), `seed`, `class_weight` (its
option; null as it comes), `threads`.
"""

from __future__ import annotations

import numpy as np
from lightgbm import LGBMClassifier

from benchmarks.contenders.stopwatch import Stopwatch, arguments


def main() -> None:
    """Fit, and predict the test images."""
    wanted = arguments()
    data = np.load(wanted["data"])
    X, y, X_test = (data[name] for name in ("X", "y", "X_test"))

    watch = Stopwatch()
    model = LGBMClassifier(
        n_jobs=wanted["threads"],
        random_state=wanted["seed"],
        class_weight=wanted["class_weight"],
        verbose=-1,
    ).fit(X, y)
    probabilities = model.predict_proba(X_test)
    watch.stop(1)
    np.savez(wanted["out"], probabilities=probabilities)


if __name__ == "__main__":
    main()
